"""Usage statements (用量对账单): what each bank asked in a month, folded from the ledger and from nothing else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from credit.actor import Role
from credit.errors import Malformed
from credit.ledger import Entry
from serving.audit.refusal_sampling import COUNTED
from serving.settings import BEIJING

PAYLOAD_TYPE = "application/vnd.haihe.usage+json"
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(slots=True)
class Line:
    """One bank's use of one product: how many entries by status, and how many subjects, each counted once."""

    calls: Counter[int] = field(default_factory=Counter)
    subjects: set[str] = field(default_factory=set)


def statement(entries: Iterable[Entry], month: str, bank: str | None = None) -> list[dict[str, Any]]:
    """A line for every bank, product and status of a month (in Beijing time), in that order.

    `{"bank", "product", "status", "calls", "subjects"}`: subjects are told apart by pseudonym and only counted, over
    all statuses of the product. Raises Malformed for what is no month, Broken when the ledger does not verify.
    """
    if not _MONTH.fullmatch(month):
        raise Malformed("usage.not-month")
    lines: dict[tuple[str, str], Line] = {}
    for entry in entries:
        if entry.at.astimezone(BEIJING).strftime("%Y-%m") != month:
            continue
        who, product = bank_of(entry), product_of(entry.verb, entry.details)
        if who is None or product is None or bank not in (None, who):
            continue
        line = lines.setdefault((who, product), Line())
        line.calls.update(_calls(entry))
        if "subject" in entry.details:
            line.subjects.add(str(entry.details["subject"]))
    return [
        {"bank": who, "product": product, "status": status, "calls": calls, "subjects": len(line.subjects)}
        for (who, product), line in sorted(lines.items())
        for status, calls in sorted(line.calls.items())
    ]


def _calls(entry: Entry) -> dict[int, int]:
    """How many calls of which status an entry stands for."""
    if entry.verb == COUNTED:
        return {int(status): count for status, count in entry.details["counts"].items()}
    return {int(entry.details.get("status", 200)): 1}


def bank_of(entry: Entry) -> str | None:
    """The bank an entry is counted for: who asked, or whom the service told."""
    if entry.by.role is Role.BANK:
        return entry.by.name
    told = entry.details.get("bank") if entry.verb in ("webhook.delivered", "token.issued", COUNTED) else None
    return str(told) if told else None


def product_of(verb: str, details: Mapping[str, Any]) -> str | None:
    """The product an entry is a call of: a line of a batch or of a job is counted there."""
    for whole in ("batch", "job"):
        if whole in details and verb.startswith("score."):
            return whole
    kind = verb.partition(".")[0]
    return "refused" if verb in ("score.refused", COUNTED) else kind
