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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from credit.canonical import digest_json
from credit.errors import Malformed, Refused
from credit.fields import require_keys
from privacy.intake.delivery import LIST, Delivery, open_plain

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

    def require_whole(self, delivered: Delivery) -> None:
        """Raise :class:`Refused` unless the files that are read are those of the list, as they are listed, and no other
        lies beside them.

        A message counts the files of the list from 1 and names none: a file's name may name a subject.
        """
        digests = {file.file_name: file.digest for file in delivered.files}
        for place, (name, (_, listed)) in enumerate(self.files.items(), 1):
            if name not in digests:
                raise Refused("delivery.file-missing", unit=self.unit, number=self.number, place=place)
            if digests[name] != listed:
                raise Refused("delivery.file-changed", unit=self.unit, number=self.number, place=place)
        if others := len(digests.keys() - self.files.keys()) + len(delivered.not_read):
            raise Refused("delivery.files-not-listed", unit=self.unit, number=self.number, others=others)


def manifest_in(folder: Path) -> DeliveryManifest:
    """The list in a folder. Raises :class:`Malformed` for one that cannot be read."""
    try:
        with open_plain(folder / LIST) as stream:
            content = stream.read(_LARGEST + 1)
        data = yaml.load(content.decode("utf-8"), Loader=yaml.BaseLoader) if len(content) <= _LARGEST else None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, OSError) as error:
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
    listed = {str(name): _file(each, place) for place, (name, each) in enumerate(files.items(), 1)}
    return DeliveryManifest(unit, int(number), listed)


def _file(data: Any, place: int) -> tuple[int, str]:
    require_keys(data, known=_FILE_KEYS, needed=_FILE_KEYS, where=f"{LIST}: {place}")
    rows, listed = data["rows"], data["sha256"]
    if not isinstance(rows, str) or not _NUMBER.fullmatch(rows):
        raise Malformed("delivery.no-rows", place=place)
    if not isinstance(listed, str) or not _DIGEST.fullmatch(listed.lower()):
        raise Malformed("delivery.no-digest", place=place)
    return int(rows), listed.lower()
