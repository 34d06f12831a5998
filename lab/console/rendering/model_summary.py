"""Facts about a model's file (模型摘要), for the reviewers who decide whether it leaves."""

from __future__ import annotations

import json
import re


def summary(kind: str, text: str) -> dict[str, object]:
    """Facts about a LightGBM text (``trees``, ``leaves``, ``smallest_leaf``, ``feature_names`` …) or a version's id."""
    if kind == "version":
        return {"version": str(json.loads(text)["version"])}
    leaves = [int(n) for line in re.findall(r"(?m)^leaf_count=([\d ]+)$", text) for n in line.split()]
    facts: dict[str, object] = {"trees": len(re.findall(r"(?m)^Tree=", text)), "leaves": len(leaves)}
    if leaves:
        facts["smallest_leaf"] = min(leaves)
    for name in ("objective", "feature_names", "monotone_constraints"):
        match = re.search(rf"(?m)^{name}=(.*)$", text)
        if match:
            facts[name] = match[1]
    return facts
