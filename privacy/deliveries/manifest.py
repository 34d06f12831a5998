"""The list of a delivery (交接清单): the file ``delivery.yaml`` beside the files, which the source unit writes.

::

    unit: 12120000MB1234567X       # the source unit's code: 4 to 18 capitals and digits; a street's has nine digits
    number: 12                     # 1, 2, 3 and so on, of this unit
    files:
      行政处罚20261101.csv: {rows: 120, sha256: 64 hex characters}

A delivery that was cut short in transfer, or that someone changed, does not have the files that its list names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from credit.canonical import digest, digest_json
from credit.errors import Malformed, Refused
from credit.fields import require_keys
from privacy.intake.delivery import LIST

_KEYS, _FILE_KEYS = {"unit", "number", "files"}, {"rows", "sha256"}
_UNIT, _DIGEST, _NUMBER = re.compile(r"[0-9A-Z]{4,18}"), re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9]{1,9}")
_LARGEST = 1 << 20  # bytes of a list


@dataclass(frozen=True, slots=True)
class DeliveryManifest:
    """A list: the unit's code, the number, and the rows and SHA-256 of each file by name."""

    unit: str
    number: int
    files: Mapping[str, tuple[int, str]]

    @property
    def rows(self) -> int:
        """The rows of all files, as the source unit counted them."""
        return sum(rows for rows, _ in self.files.values())

    @property
    def digest(self) -> str:
        """The digest of what the list says, whatever its spelling."""
        return digest_json(
            {"unit": self.unit, "number": self.number, "files": {n: list(f) for n, f in self.files.items()}}
        )

    def require_whole(self, folder: Path, present: Collection[str]) -> None:
        """Raise :class:`Refused` unless the folder has the files of the list, as they are listed, and no other.

        ``present`` are the names of the files that would be read. A message counts the files of the list from 1 and
        names none: a file's name may name a subject.
        """
        for place, (name, (_, listed)) in enumerate(self.files.items(), 1):
            path = folder / name
            if name not in present or not path.is_file():
                raise Refused("delivery.file-missing", unit=self.unit, number=self.number, place=place)
            if digest(path) != listed:
                raise Refused("delivery.file-changed", unit=self.unit, number=self.number, place=place)
        if others := len(set(present) - self.files.keys()):
            raise Refused("delivery.files-not-listed", unit=self.unit, number=self.number, others=others)


def manifest_in(folder: Path) -> DeliveryManifest | None:
    """The list in a folder; None where there is none. Raises :class:`Malformed` for one that cannot be read."""
    path = folder / LIST
    if not path.is_file():
        return None
    try:
        content = path.read_bytes()
        data = yaml.load(content.decode("utf-8"), Loader=yaml.BaseLoader) if len(content) <= _LARGEST else None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("delivery.list-not-read") from error
    require_keys(data, known=_KEYS, needed=_KEYS, where=LIST)
    assert isinstance(data, dict)
    unit, number, files = data["unit"], data["number"], data["files"]
    if not isinstance(unit, str) or not _UNIT.fullmatch(unit):
        raise Malformed("delivery.no-unit")
    if not isinstance(number, str) or not _NUMBER.fullmatch(number) or int(number) < 1:
        raise Malformed("delivery.no-number")
    if not isinstance(files, Mapping) or not files:
        raise Malformed("delivery.no-files")
    return DeliveryManifest(unit, int(number), {str(name): _file(each, n) for n, (name, each) in _numbered(files)})


def _numbered(files: Mapping[str, Any]) -> list[tuple[int, tuple[str, Any]]]:
    return list(enumerate(files.items(), 1))


def _file(data: Any, place: int) -> tuple[int, str]:
    require_keys(data, known=_FILE_KEYS, needed=_FILE_KEYS, where=f"{LIST}: {place}")
    rows, listed = data["rows"], data["sha256"]
    if not isinstance(rows, str) or not _NUMBER.fullmatch(rows):
        raise Malformed("delivery.no-rows", place=place)
    if not isinstance(listed, str) or not _DIGEST.fullmatch(listed.lower()):
        raise Malformed("delivery.no-digest", place=place)
    return int(rows), listed.lower()
