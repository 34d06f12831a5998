"""What a bank may state in a live score, and how often: market features and its own, each subject some times a day.

What public records say comes from the records. The bounds are against copying a model by trials: a bank that varies
the values of one subject, or tries many, is stopped for the day, and the ledger gets an alarm.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from credit.errors import Malformed
from credit.settings import BEIJING
from serving.core.request import SERVICE, AuthorisedSubject, RequestContext
from serving.core.service import ScoringService
from serving.data.snapshot import ActiveSnapshot
from serving.errors import TooMany
from serving.observability import log
from serving.store.store import statement

SWEEP = "sweep.suspected"  # the ledger verb
_COUNT = (
    "INSERT INTO live_count (day, bank, subject, count) VALUES (?, ?, ?, 1) "
    "ON CONFLICT (day, bank, subject) DO UPDATE SET count = live_count.count + 1 RETURNING count"
)
_ALL_TRIALS = ""  # in the place of a subject: all trials of a bank


class NotToBeStated(Malformed):
    """A feature of the model that public records give, or that no bank may state for another reason (HTTP 422)."""

    slug = "not-to-be-stated"


def require_statable(snapshot: ActiveSnapshot, names: Iterable[str]) -> None:
    """Raise NotToBeStated for a feature of the model that a bank may not state; a name of no feature passes here.

    The allowed names are in the message and the others are not, as a name may hold data.
    """
    derived = set(snapshot.scorecard.names) - snapshot.bank_features
    if derived.intersection(names):
        allowed = ", ".join(sorted(snapshot.bank_features)) or "-"
        raise NotToBeStated("stated-features.from-public-records", allowed=allowed)


async def count_live_score(
    service: ScoringService, call: RequestContext, subject: AuthorisedSubject, kind: str
) -> None:
    """Count a live score. Raises TooMany beyond a bound of the day; the first time, the ledger gets an alarm."""
    settings = service.settings
    bounds = [(subject.mandate.subject.hex, settings.live_per_subject)]
    if kind == "what_if":
        bounds.append((_ALL_TRIALS, settings.trials_per_day))
    day = settings.day().isoformat()
    for counted, bound in bounds:
        ((count,),) = await service.store.apply(statement(_COUNT, day, call.by.name, counted))
        if count == 1:
            await service.store.apply(statement("DELETE FROM live_count WHERE day < ?", day))
        if count <= bound:
            continue
        if count == bound + 1:
            details = {
                "bank": call.by.name,
                "bound": bound,
                "of": "trials" if counted == _ALL_TRIALS else "one subject",
            }
            await service.ledger_writer.record(SWEEP, f"bank-{call.by.name}", by=SERVICE, details=details)
            log.event(SWEEP, level=logging.WARNING, bank=call.by.name)
        raise TooMany("stated-features.too-many-today", after=_seconds_left(), bound=bound)


def _seconds_left() -> int:
    """Until the next day begins in China."""
    now = datetime.now(BEIJING)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return max(1, round((midnight - now).total_seconds()))
