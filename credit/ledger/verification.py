"""How far a person has verified a ledger, so that the next verification goes on from there.

The mark is in the person's own folder (``XDG_STATE_HOME``), with mode 0600: it is only worth as much as that folder, so
a verification begins at the start and with `--resume` at the mark.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from credit.canonical import digest
from credit.errors import Broken
from credit.ledger.entry import Position
from credit.ledger.ledger import Ledger
from credit.ledger.signed_record import read_record, write_record


@dataclass(frozen=True, slots=True)
class VerifiedMark:
    """The file that says up to which entry a ledger was verified."""

    path: Path
    start: ClassVar[Position] = Position()

    @classmethod
    def here(cls, ledger: Ledger, environment: Mapping[str, str] = os.environ) -> VerifiedMark:
        """The mark of the person who runs this process."""
        state = environment.get("XDG_STATE_HOME") or Path(environment.get("HOME", "/tmp")) / ".local" / "state"
        name = digest(str(ledger.path.resolve()).encode())[:32]
        return cls(Path(state) / "haihe" / "verified" / f"{name}.json")

    def read(self) -> Position:
        """The position; the start when there is none, or none that can be read."""
        try:
            return Position(**(read_record(self.path) or {}))
        except (Broken, TypeError):
            return self.start

    def write(self, position: Position) -> None:
        """Store the position, where that folder can be written."""
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_record(self.path, asdict(position), mode=0o600, durable=False)
