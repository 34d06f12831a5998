"""The context of a parcel (申请说明): its purpose, its sources, and a description of each file by the researcher."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from credit.errors import Malformed
from credit.fields import require_keys
from lab.airlock.characters import one_spelling

TITLE, TEXT, PURPOSE = 120, 500, 1000  # characters in the title, in a text about a file, and in the purpose
COUNTS, SOURCES, RECIPIENTS = 100, 40, 20  # columns that count subjects in one file; sources, recipients of a parcel
SOURCE = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")  # the form of a seal's id
SOURCE_LENGTH = 100
ACCOUNT = re.compile(r"[a-z][a-z0-9]{1,29}")  # the form of its name; that it exists is known at the airlock
MOST_SUBJECTS = 2_000_000_000  # more than there are people and firms in the country


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
        _require_text(self.what, "what a file is", least=1, most=TEXT)
        _require_text(self.population, "the population", most=TEXT)
        _require_text(self.counted, "how it was counted", most=TEXT)
        if self.subjects < 0:
            raise Malformed("parcel-context.number-subjects-cannot-be-negative")
        if self.subjects > MOST_SUBJECTS:
            raise Malformed("parcel-context.too-many-subjects", most=MOST_SUBJECTS)
        if len(self.counts) > COUNTS or len(set(self.counts)) < len(self.counts):
            raise Malformed("parcel-context.too-many-counts", most=COUNTS)
        for name in self.counts:
            _require_text(name, "a column that counts", least=1, most=TITLE)

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

    def in_one_spelling(self) -> FileDescription:
        """The description with each text in one spelling."""
        what, population, counted = map(one_spelling, (self.what, self.population, self.counted))
        return FileDescription(what, population, counted, self.subjects, tuple(map(one_spelling, self.counts)))

    def texts(self) -> list[str]:
        """All texts of the description."""
        return [self.what, self.population, self.counted, *self.counts]

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values, as stored in the ledger and in the seal."""
        data = {"what": self.what, "population": self.population, "counted": self.counted, "subjects": self.subjects}
        return data | ({"counts": list(self.counts)} if self.counts else {})


@dataclass(frozen=True, slots=True)
class ParcelContext:
    """Title, purpose, a description of each file by name, and the ids of the seals it was made from.

    ``releases`` names research releases (of evidence), rows and practice tables. ``recipients`` are the accounts that
    may download the parcel beside its author.
    """

    title: str
    purpose: str
    files: Mapping[str, FileDescription] = field(default_factory=dict)
    releases: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require_text(self.title, "the title", least=1, most=TITLE)
        _require_text(self.purpose, "the purpose", least=1, most=PURPOSE)
        if len(self.releases) > SOURCES:
            raise Malformed("parcel-context.too-many-sources", most=SOURCES)
        if not all(len(each) <= SOURCE_LENGTH and SOURCE.fullmatch(each) for each in self.releases):
            raise Malformed("parcel-context.not-a-source", most=SOURCE_LENGTH)
        if len(self.recipients) > RECIPIENTS or not all(map(ACCOUNT.fullmatch, self.recipients)):
            raise Malformed("parcel-context.not-recipients", most=RECIPIENTS)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> ParcelContext:
        """Read it from JSON values; raises :class:`Malformed` with the name of a missing or wrong value."""
        keys = {"title", "purpose", "files", "releases"}
        require_keys(data, known=keys | {"recipients"}, needed=keys, where="context")
        try:
            json.dumps(data, ensure_ascii=False).encode()
        except (UnicodeEncodeError, TypeError, ValueError) as error:  # half of a surrogate pair, or no JSON
            raise Malformed("parcel-context.not-text") from error
        files, releases, recipients = data["files"], data["releases"], data.get("recipients", ())
        if not isinstance(files, Mapping) or not all(isinstance(each, Mapping) for each in files.values()):
            raise Malformed("parcel-context.context-files-mapping-names-to")
        if not isinstance(releases, (list, tuple)) or not all(isinstance(each, str) for each in releases):
            raise Malformed("parcel-context.context-releases-list-ids")
        if not isinstance(recipients, (list, tuple)) or not all(isinstance(each, str) for each in recipients):
            raise Malformed("parcel-context.not-recipients", most=RECIPIENTS)
        abouts = {
            name: FileDescription.parse(each, where=f"context, file {n}")
            for n, (name, each) in enumerate(files.items(), 1)
        }
        return cls(data["title"], data["purpose"], abouts, tuple(releases), tuple(recipients))

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values, as stored in the ledger and in the seal."""
        files = {name: about.as_json() for name, about in self.files.items()}
        data = {"title": self.title, "purpose": self.purpose, "files": files, "releases": list(self.releases)}
        return data | ({"recipients": list(self.recipients)} if self.recipients else {})

    def renamed(self, names: Mapping[str, str]) -> ParcelContext:
        """The context with other names of the files that it describes."""
        return replace(self, files={names.get(name, name): about for name, about in self.files.items()})

    def in_one_spelling(self) -> ParcelContext:
        """The context as it is judged, shown, stored and sealed: each text in one spelling, the sources
        and recipients each once."""
        files = {name: about.in_one_spelling() for name, about in self.files.items()}
        title, purpose = one_spelling(self.title), one_spelling(self.purpose)
        recipients = tuple(sorted(set(self.recipients)))
        return ParcelContext(title, purpose, files, tuple(dict.fromkeys(self.releases)), recipients)

    def texts(self) -> list[str]:
        """All texts of the context, which are checked like any other text that leaves."""
        own_texts = [self.title, self.purpose]
        return own_texts + [text for about in self.files.values() for text in about.texts()]


def _require_text(text: Any, name: str, *, most: int, least: int = 0) -> None:
    if not isinstance(text, str) or len(text.strip()) < least:
        raise Malformed("parcel-context.parcel-does-not-say", name=name)
    if len(text) > most:
        raise Malformed("parcel-context.text-too-long", name=name, longest=most)
