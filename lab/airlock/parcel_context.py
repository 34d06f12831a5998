"""The context of a parcel (申请说明): its purpose, its sources, and a description of each file by the researcher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from credit.errors import Malformed
from credit.fields import require_keys

LONGEST_TEXT = 2000  # characters in one text


@dataclass(frozen=True, slots=True)
class FileDescription:
    """A file's description: what it shows, of which population, how it was counted, and of how many subjects.

    ``subjects`` is 0 for a file that describes no subjects (code, a text). ``counts`` lists columns that count subjects
    although their names do not show it. Raises :class:`Malformed` for missing or too long texts.
    """

    what: str
    population: str = ""
    counted: str = ""
    subjects: int = 0
    counts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require_text(self.what, "what a file is", least=1)
        _require_text(self.population, "the population")
        _require_text(self.counted, "how it was counted")
        if self.subjects < 0:
            raise Malformed("parcel-context.number-subjects-cannot-be-negative")

    @classmethod
    def parse(cls, data: Mapping[str, Any], *, where: str) -> FileDescription:
        """Read it from JSON values; raises :class:`Malformed` with the name of a missing or wrong value."""
        known = {"what", "population", "counted", "subjects", "counts"}
        require_keys(data, known=known, needed={"what"}, where=where)
        subjects, counts = data.get("subjects", 0), data.get("counts", ())
        if not isinstance(subjects, int) or isinstance(subjects, bool):
            raise Malformed("parcel-context.subjects-whole-number", where=where)
        if not isinstance(counts, (list, tuple)) or not all(isinstance(each, str) for each in counts):
            raise Malformed("parcel-context.counts-list-names-columns", where=where)
        texts = {name: data.get(name, "") for name in ("what", "population", "counted")}
        return cls(**texts, subjects=subjects, counts=tuple(counts))

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values, as stored in the ledger and in the seal."""
        data = {"what": self.what, "population": self.population, "counted": self.counted, "subjects": self.subjects}
        return data | ({"counts": list(self.counts)} if self.counts else {})


@dataclass(frozen=True, slots=True)
class ParcelContext:
    """Title, purpose, an :class:`About` for each file by name, and the ids of the seals it was made from.

    ``releases`` names research releases (of evidence), rows and practice tables.
    """

    title: str
    purpose: str
    files: Mapping[str, FileDescription] = field(default_factory=dict)
    releases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require_text(self.title, "the title", least=1)
        _require_text(self.purpose, "the purpose", least=1)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> ParcelContext:
        """Read it from JSON values; raises :class:`Malformed` with the name of a missing or wrong value."""
        keys = {"title", "purpose", "files", "releases"}
        require_keys(data, known=keys, needed=keys, where="context")
        files, releases = data["files"], data["releases"]
        if not isinstance(files, Mapping) or not all(isinstance(each, Mapping) for each in files.values()):
            raise Malformed("parcel-context.context-files-mapping-names-to")
        if not isinstance(releases, (list, tuple)) or not all(isinstance(each, str) for each in releases):
            raise Malformed("parcel-context.context-releases-list-ids")
        abouts = {
            name: FileDescription.parse(each, where=f"context, file {n}")
            for n, (name, each) in enumerate(files.items(), 1)
        }
        return cls(data["title"], data["purpose"], abouts, tuple(releases))

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values, as stored in the ledger and in the seal."""
        files = {name: about.as_json() for name, about in self.files.items()}
        return {"title": self.title, "purpose": self.purpose, "files": files, "releases": list(self.releases)}

    def renamed(self, names: Mapping[str, str]) -> ParcelContext:
        """The context with other names of the files that it describes."""
        return replace(self, files={names.get(name, name): about for name, about in self.files.items()})

    def texts(self) -> list[str]:
        """All texts of the context, which are checked like any other text that leaves."""
        own_texts = [self.title, self.purpose]
        return own_texts + [
            text for about in self.files.values() for text in (about.what, about.population, about.counted)
        ]


def _require_text(text: Any, name: str, *, least: int = 0) -> None:
    if not isinstance(text, str) or len(text.strip()) < least:
        raise Malformed("parcel-context.parcel-does-not-say", name=name)
    if len(text) > LONGEST_TEXT:
        raise Malformed("parcel-context.text-too-long", name=name, longest=LONGEST_TEXT)
