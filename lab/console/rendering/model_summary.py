"""What a model's file says of itself (模型摘要), for one who must decide whether it leaves."""

from __future__ import annotations

import json
import re


def summary(kind: str, text: str) -> dict[str, object]:
    """Facts of a LightGBM text or of the name of a version: ``trees``, ``leaves``, ``smallest leaf``, ``features``…"""
    if kind == "version":
        return {"version": str(json.loads(text)["version"])}
    leaves = [int(n) for line in re.findall(r"(?m)^leaf_count=([\d ]+)$", text) for n in line.split()]
    facts: dict[str, object] = {"trees": len(re.findall(r"(?m)^Tree=", text)), "leaves": len(leaves)}
    if leaves:
        facts["smallest_leaf"] = min(leaves)
    for name in ("objective", "feature_names", "monotone_constraints"):
        found = re.search(rf"(?m)^{name}=(.*)$", text)
        if found:
            facts[name] = found[1]
    return facts
