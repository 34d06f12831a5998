"""The end of a ledger, which the next entry is written after: found from behind, verified, compared with the head."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any, BinaryIO

from credit.errors import Broken
from credit.keys import KeyRing
from credit.ledger.entry import broken, missing_lines, read_line
from credit.ledger.segments.store import line_ending
from credit.messages import Text


@dataclass(frozen=True, slots=True)
class Tail:
    """The last signed entry: it ends at byte ``end`` of the open segment (0 when it is in the segment before)."""

    end: int
    seq: int
    id: str

    def compare(self, stream: BinaryIO, head: tuple[int, str]) -> None:
        """Raise :class:`Broken` when the head counts entries that are not here, or names another than the one here.

        A head that counts fewer was left by a writer that was killed, or that writes heads now and then; its entry is
        looked for backwards, at most to the beginning of the open segment: each closed segment had a head.
        """
        seq, name, end = self.seq, self.id, self.end
        if seq < head[0]:
            missing_lines(seq, head[0])
        while seq > head[0]:
            if end == 0:
                broken(head[0] + 1, Text.of("ledger.head-older", signed=head[0], closed=seq))
            end, line = line_ending(stream, end)
            data = _parsed(line)
            seq, name = seq - 1, str(data["previous"])
        if name != head[1]:
            broken(seq, Text.of("ledger.head-names-another"))


def last_signed(stream: BinaryIO, ring: KeyRing, zone: str) -> Tail | None:
    """The last line of a file with a signature, which must be one of ``zone``; None for a file without signed lines.

    Incomplete and unsigned lines after it are passed over. Raises :class:`Broken`.
    """
    end = stream.seek(0, os.SEEK_END)
    while end > 0:
        start, line = line_ending(stream, end)
        if line.endswith(b"\n"):
            data = _parsed(line)
            if "sig" in data:
                entry, signer = read_line(line, data["seq"], data["previous"], ring)
                if zone and signer != zone:
                    broken(entry.seq, Text.of("entry.another-zone", signer=signer, zone=zone))
                return Tail(end, entry.seq, entry.id)
        end = start
    return None


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        data = json.loads(line)
        if not (isinstance(data["seq"], int) and isinstance(data["previous"], str)):
            raise ValueError
    except (ValueError, KeyError, TypeError) as error:
        raise Broken("ledger.last-line-unreadable") from error
    return dict(data)
