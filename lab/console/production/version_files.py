"""Files of sealed versions, read and compared with the digest that was sealed."""

from __future__ import annotations

import json
from typing import Any

from credit.canonical import digest
from credit.errors import Broken, Missing
from credit.shelf import OpenedSeal


def sealed_file(opened: OpenedSeal, name: str) -> bytes:
    """A file of a seal as it was sealed; raises :class:`Missing` without one, :class:`Broken` when it was changed."""
    if name not in opened.seal.files:
        raise Missing("error-pages.no-such-page")
    content = (opened.path / name).read_bytes()
    if digest(content) != opened.seal.files[name]:
        raise Broken("orders.version-file-changed")
    return content


def sealed_evidence(opened: OpenedSeal) -> dict[str, Any]:
    """The evidence that compute recorded of a version; raises as :func:`sealed_file`."""
    evidence: dict[str, Any] = json.loads(sealed_file(opened, "evidence.json"))
    return evidence
