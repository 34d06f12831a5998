"""Usage statements (用量对账单): what each bank requested in a month, computed from the ledger alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from credit.actor import Role
from credit.errors import Malformed
from credit.ledger import Entry
from credit.settings import BEIJING
from serving.audit.refusal_sampling import COUNTED

PAYLOAD_TYPE = "application/vnd.haihe.usage+json"
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(slots=True)
class UsageLine:
    """One bank's use of one product: the number of entries by HTTP status, and the distinct subjects."""

    calls: Counter[int] = field(default_factory=Counter)
    subjects: set[str] = field(default_factory=set)


def statement(entries: Iterable[Entry], month: str, bank: str | None = None) -> list[dict[str, Any]]:
    """One line for every bank, product and status of a month `YYYY-MM` (in Beijing time), in that order.

    A line is `{"bank", "product", "status", "calls", "subjects"}`. Subjects are distinguished by pseudonym and only
    counted, over all statuses of the product. Raises Malformed for an invalid month, and Broken when the ledger does
    not verify.
    """
    if not _MONTH.fullmatch(month):
        raise Malformed("usage.not-month")
    lines: dict[tuple[str, str], UsageLine] = {}
    for entry in entries:
        if entry.at.astimezone(BEIJING).strftime("%Y-%m") != month:
            continue
        client, product = bank_of(entry), product_of(entry.verb, entry.details)
        if client is None or product is None or bank not in (None, client):
            continue
        line = lines.setdefault((client, product), UsageLine())
        line.calls.update(_calls(entry))
        if "subject" in entry.details:
            line.subjects.add(str(entry.details["subject"]))
    return [
        {"bank": client, "product": product, "status": status, "calls": calls, "subjects": len(line.subjects)}
        for (client, product), line in sorted(lines.items())
        for status, calls in sorted(line.calls.items())
    ]


def _calls(entry: Entry) -> dict[int, int]:
    """The number of requests that an entry stands for, by HTTP status."""
    if entry.verb == COUNTED:
        return {int(status): count for status, count in entry.details["counts"].items()}
    return {int(entry.details.get("status", 200)): 1}


def bank_of(entry: Entry) -> str | None:
    """The bank that an entry is counted for: the one that requested, or the one that a webhook was sent to."""
    if entry.by.role is Role.BANK:
        return entry.by.name
    bank = entry.details.get("bank") if entry.verb in ("webhook.delivered", "token.issued", COUNTED) else None
    return str(bank) if bank else None


def product_of(verb: str, details: Mapping[str, Any]) -> str | None:
    """The product that an entry is counted for: a line of a batch or of a job counts as `batch` or `job`."""
    for whole in ("batch", "job"):
        if whole in details and verb.startswith("score."):
            return whole
    kind = verb.partition(".")[0]
    return "refused" if verb in ("score.refused", COUNTED) else kind
