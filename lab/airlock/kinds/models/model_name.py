"""The file that names a model (模型名称文件): one version or one order of the shelf, and nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from credit.messages import Text
from lab.airlock.issue import Issue, fail

LONGEST = 1_000  # bytes
_IDS = {"version": r"version-[0-9a-f]{64}", "run": r"order-[0-9a-f]{64}", "copy": r"copy-[0-9a-f]{64}"}
_FORMS = ({"version"}, {"run"}, {"version", "copy"})
_ODD = fail(Text.of("airlock.model-name"), Text.of("airlock.train-with-lab"))


@dataclass(frozen=True, slots=True)
class NamedModel:
    """The id of a version or of the order that made it; ``copy`` is that of the copy, in files that left."""

    id: str
    copy: str = ""


def read_name(content: bytes) -> NamedModel | Issue:
    """The model that a file names, or the issue with the file."""
    try:
        members = json.loads(content.decode("utf-8-sig"), object_pairs_hook=list) if len(content) <= LONGEST else None
    except (ValueError, RecursionError):
        return _ODD
    if not isinstance(members, list) or not all(isinstance(each, tuple) for each in members):
        return _ODD
    named: dict[str, Any] = dict(members)
    right = len(named) == len(members) and set(named) in _FORMS
    if not right or not all(isinstance(id, str) and re.fullmatch(_IDS[key], id) for key, id in named.items()):
        return _ODD
    return NamedModel(named.get("version") or named["run"], named.get("copy", ""))


def written_name(version: str, copy: str) -> bytes:
    """The file that says which copy leaves, and of which version."""
    return json.dumps({"version": version, "copy": copy}, indent=1).encode() + b"\n"


def version_of(content: bytes) -> str:
    """The id of the version in a file of :func:`written_name`."""
    return str(json.loads(content)["version"])
