"""Who asked about a subject and why, from the service's ledger: the lines that name its pseudonym, the newest first."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from credit.ledger import Ledger

MOST, MOST_OF_BANK, SECONDS = 500, 50, 5.0  # entries shown, those of one bank, and the time that the search may take
SCORED = frozenset({"score.answered", "score.live"})
SHOWN = SCORED | {"verification.answered", "query.answered", "report.answered", "special-report.answered",
                  "facts.answered",
                  "supervision.answered", "watch.opened", "application.requested", "score.refused"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SubjectInquiry:
    """One request about the subject."""

    at: datetime
    by: str
    verb: str
    purpose: str
    id: str


def inquiries_about(ledger: Ledger, subject: str) -> tuple[list[SubjectInquiry], bool]:
    """The newest requests about a subject, and whether these are all. Segments are searched by their bytes.

    Of one bank there are so many at most: none hides the others by asking often.
    """
    matches, of_bank = list[SubjectInquiry](), Counter[str]()
    end = time.monotonic() + SECONDS
    for segment in reversed(ledger.store.segments()):
        if time.monotonic() > end or len(matches) >= MOST:
            return matches[:MOST], False
        content = b"".join(ledger.store.lines(segment, segment.offset))
        for each in reversed(list(_in_segment(content, subject))):
            of_bank[each.by] += 1
            if of_bank[each.by] <= MOST_OF_BANK:
                matches.append(each)
    return matches[:MOST], len(matches) <= MOST and of_bank.total() == len(matches)


def _in_segment(content: bytes, subject: str) -> Iterator[SubjectInquiry]:
    wanted, start = f'"subject":"{subject}"'.encode(), 0
    while (place := content.find(wanted, start)) >= 0:
        begin, start = content.rfind(b"\n", 0, place) + 1, content.find(b"\n", place) + 1
        if start == 0:
            return  # a line that is being written
        data = json.loads(content[begin:start])
        role, _, name = str(data["by"]).partition(":")
        if data["verb"] in SHOWN and role == "bank" and data["because"].get("subject") == subject:
            purpose = str(data["because"].get("purpose", ""))
            yield SubjectInquiry(datetime.fromisoformat(data["at"]), name, data["verb"], purpose, data["object"])
