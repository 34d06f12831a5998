"""Rewriting a file (重写): it is read into its model, judged and written again, and what was written must read back."""

from __future__ import annotations

from collections.abc import Mapping

from credit.gate import Finding, Outcome
from credit.messages import Text
from lab.airlock.files.file_inspection import FileInspection
from lab.airlock.files.file_kinds import FileKind, detect_kind
from lab.airlock.issue import Issue, as_finding, fail
from lab.airlock.kinds.models.model_copy import ModelShelf
from lab.airlock.kinds.registry import format_of
from lab.airlock.parcel_context import FileDescription
from lab.airlock.thresholds import Thresholds


def rewrite(
    kind: FileKind, name: str, content: bytes, about: FileDescription, t: Thresholds, models: ModelShelf | None
) -> FileInspection:
    """The inspection of a file by its format; its findings name the main form of the files that leave.

    ``models`` is where models are looked up; None where that is not possible.
    """
    format = format_of(kind, models)
    if format is None:
        bare = fail(Text.of("airlock.bare-model"), Text.of("airlock.train-with-lab"))
        return FileInspection(None, b"", (as_finding("kind", name, bare),))
    read = format.read(content, t)
    if isinstance(read, Issue):
        return FileInspection(kind, b"", (as_finding("reading", name, read),), name=name)
    leaving = format.write(name, read.model)
    main = next(iter(leaving))
    main_kind = detect_kind(main, leaving[main])
    main_format = None if isinstance(main_kind, Issue) else format_of(main_kind, models)
    again = main_format.read(leaving[main], t) if main_format else None
    if main_format is None or isinstance(again, Issue | None) or again.model != read.model:
        odd = fail(Text.of("airlock.no-fixed-point"), Text.of("airlock.no-fixed-point-fix"))
        return FileInspection(kind, b"", (as_finding("reading", name, odd),), name=name)
    result = format.judge(main, read.model, about, t)
    assert isinstance(main_kind, FileKind)
    findings = (_rewriting_finding(name, main, read.rewritten, leaving), *result.findings)
    return FileInspection(main_kind, leaving[main], findings, result.tables, main, leaving)


def _rewriting_finding(name: str, main: str, rewritten: Mapping[str, int], leaving: Mapping[str, bytes]) -> Finding:
    """The finding that says under which names a file leaves, and what is spelled otherwise in it."""
    what = [Text(id, {"count": count}) for id, count in rewritten.items()] or [Text.of("airlock.rewritten-nothing")]
    why = Text.of("airlock.rewritten", file=name, names=", ".join(leaving), what=Text.several(what))
    return Finding.of("rewritten", Outcome.PASS, why, {"file": main, "given": name, "leaving": list(leaving)})
