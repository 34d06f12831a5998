"""Requests of some verbs as the ledgers of the lab have them, the newest first, and what people read of them.

The command line and the console show the same: what is here holds ids, counts and messages, and no value of a record.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from credit.ledger import Ledger
from credit.requests.request import MADE, Stage
from credit.requests.request_states import RequestState, RequestStates

DESK, MAPPING_LEARNT = "desk", "mapping.learnt"
SHOWN = 50  # requests that are read at most
_COUNTED = ("files", "rows", "kept", "duplicates", "quarantined")


def past_requests(ledgers: Mapping[str, Ledger], verbs: Collection[str], *, limit: int = SHOWN) -> list[RequestState]:
    """The newest requests of these verbs. ``ledgers`` has the desk's and those of the zones that carry them out.

    Raises :class:`~credit.errors.Broken` for a ledger that does not verify.
    """
    if DESK not in ledgers:
        return []
    made = [entry for entry in ledgers[DESK].entries() if entry.verb == MADE and entry.details.get("verb") in verbs]
    listed: list[RequestState] = []
    for request in reversed(made[-limit:]):
        states = RequestStates()
        for zone, ledger in ledgers.items():
            for entry in ledger.about(request.object):
                states.listener(zone)(entry)
        if (state := states.get(request.object)) is not None:
            listed.append(state)
    return listed


def delivery_of(state: RequestState) -> dict[str, Any]:
    """A delivery (归集): who brought it in when, its counts by table, and the reasons of its rejected rows."""
    result = state.results[-1] if state.results else {}
    messages = result.get("messages", {})
    reasons = [
        {"rows": rows, "reason": reason, "message": messages.get(reason)}
        for reason, rows in sorted(result.get("reasons", {}).items(), key=lambda each: -each[1])
    ]
    tables = {
        name: dict(zip(_COUNTED[1:], counts, strict=True)) for name, counts in sorted(result.get("tables", {}).items())
    }
    counted = {name: result.get(name) for name in _COUNTED}
    return _about(state) | counted | {"tables": tables, "reasons": reasons, "others": result.get("others", {})}


def repair_of(state: RequestState) -> dict[str, Any]:
    """A repair (信用修复) or withdrawal: how many records, what was not repaired and why, what was made again."""
    custody = state.results[0] if state.results else {}
    compute = state.results[1] if len(state.results) > 1 else {}
    made = {"releases": len(custody.get("releases", {})), "snapshots": len(compute.get("snapshots", {}))}
    counted = {"repaired": custody.get("repaired", 0), "repaired_before": len(custody.get("repaired_before", ()))}
    failed = [*custody.get("failed", ()), *custody.get("refused", ())]
    return _about(state) | counted | made | {"dossiers": int("dossiers" in compute), "failed": failed}


def waiting_of(states: Sequence[RequestState]) -> dict[str, Any]:
    """What waits in quarantine, as the newest intake or count of it reports; empty before there is one."""
    for state in states:
        result = state.results[-1] if state.results else {}
        if state.stage is Stage.DONE and "waiting" in result:
            waiting = [dict(each) for each in result["waiting"]]
            return _about(state) | {"rows": sum(each["rows"] for each in waiting), "waiting": waiting}
    return {}


def mappings_of(custody: Ledger) -> list[dict[str, Any]]:
    """The mappings (字段映射) in force as custody's ledger has them: the newest of each source unit and table.

    Of one that was learnt before ledgers had mappings whole, its columns are empty.
    """
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in custody.entries():
        if entry.verb == MAPPING_LEARNT:
            details = entry.details
            at = entry.at.isoformat(timespec="seconds")
            mapping: dict[str, Any] = {"source": str(details["source"]), "table": str(details["table"]), "at": at}
            mapping |= {"by": str(entry.by), "files": list(details.get("files", ()))}
            mapping |= {name: dict(details.get(name, {})) for name in ("columns", "constants")}
            newest[details["source"], details["table"]] = mapping
    return sorted(newest.values(), key=lambda each: (each["source"], each["table"]))


def _about(state: RequestState) -> dict[str, Any]:
    request = state.request
    failure = dict(state.failure) if state.failure else None
    return {
        "request": request.id,
        "verb": request.verb,
        "at": request.at.isoformat(timespec="seconds"),
        "by": str(request.by),
        "stage": str(state.stage),
        "zone": state.zone,
        "failure": failure,
    }
