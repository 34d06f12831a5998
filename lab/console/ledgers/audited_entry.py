"""A ledger entry as an auditor sees it (审计视图): the details that this file lists, and the names of the others.

An auditor sees no subject. A list of what is hidden would miss the next field that names one, so this is a list of what
is shown: ids of sealed things and of requests, states, dates, counts, and people of the lab.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from credit.ledger import Entry

_OBJECT = re.compile(
    r"(user|project|parcel|cell|order|rows|table|practice|version|release|snapshot|request|bank)-[a-z0-9][a-z0-9._-]{0,80}"
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(application|mandate)-[0-9a-f]{32}"  # random, whatever they are about
)
SHOWN = frozenset(
    {
        *("as_of", "day", "deadline", "ends_on", "expires_on", "link_until", "on", "today", "until", "valid_until"),
        *("confirm", "factor", "factors", "kind", "people", "severity", "stage", "status", "step", "verb"),
        *("bank", "maker", "members", "project", "purpose", "roles"),
        *("change", "digest", "entry", "model", "order", "release", "seal", "snapshot", "table", "tables", "version"),
    }
)
_VALUES = (str, int, float, bool)


@dataclass(frozen=True, slots=True)
class AuditedEntry:
    """What is shown of an entry: its object, empty where it could name a subject, and details."""

    object: str
    details: Mapping[str, Any]
    suppressed: tuple[str, ...] = ()

    @classmethod
    def of(cls, entry: Entry) -> AuditedEntry:
        """The entry as an auditor sees it."""
        shown = {key: value for key, value in entry.details.items() if key in SHOWN and _is_plain(value)}
        return cls(shown_object(entry.object), shown, tuple(sorted(set(entry.details) - set(shown))))


def is_shown_object(object_id: str) -> bool:
    """True for the id of a thing of the lab, which is no subject's."""
    return _OBJECT.fullmatch(object_id) is not None


def shown_object(object_id: str) -> str:
    """The object's id, or nothing where it could name a subject."""
    return object_id if is_shown_object(object_id) else ""


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(isinstance(each, _VALUES) for each in value)
    return isinstance(value, _VALUES)
