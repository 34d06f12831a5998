"""Flows (流程): for each verb the zones that carry it out in their order, and who may request it.

This table is the only place that says so. The front desk refuses by it before any work, and an agent that finds a
request of another role refuses it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from credit.actor import Role
from credit.errors import Malformed

HOUR = 3600
CITY, PLATFORM, RESEARCHER = Role.CITY, Role.PLATFORM, Role.RESEARCHER


@dataclass(frozen=True, slots=True)
class Flow:
    """How one verb is carried out.

    ``zones`` are the steps in their order, ``roles`` those that may request it, ``act`` the id of the message that
    names it. A request that is to be confirmed waits for another person with one of ``confirmers``; policy says which
    verbs need that. ``private`` are the arguments that may name a subject or a person: no ledger holds them.
    ``seconds`` is the time after which an unfinished request ends. ``recent`` asks for a sign-in of the last five
    minutes.
    """

    zones: tuple[str, ...]
    roles: tuple[Role, ...]
    act: str
    private: frozenset[str] = frozenset()
    seconds: int = 6 * HOUR
    recent: bool = False
    confirmers: tuple[Role, ...] = (Role.PLATFORM,)


def _private(*names: str) -> frozenset[str]:
    return frozenset(names)


FLOWS: Mapping[str, Flow] = MappingProxyType(
    {
        "intake": Flow(("custody",), (CITY, PLATFORM), "act.bring-records-in", _private("paths", "mapping")),
        "release": Flow(("custody",), (PLATFORM, CITY), "act.make-release"),
        "practice": Flow(("custody",), (PLATFORM, CITY), "act.make-practice-tables"),
        "repair": Flow(
            ("custody", "compute", "platform"), (CITY,), "act.repair-record", _private("documents", "subject")
        ),
        "withdraw": Flow(("custody", "compute", "platform"), (CITY, PLATFORM), "act.withdraw-repaired-records"),
        "quarantine": Flow(("custody",), (CITY, PLATFORM), "act.read-quarantine", _private("back", "page")),
        "quality": Flow(("custody",), (CITY, PLATFORM), "act.measure-quality"),
        "commitments": Flow(("custody",), (CITY, PLATFORM), "act.count-commitments"),
        "holdings": Flow(("custody",), (CITY, PLATFORM), "act.count-holdings"),
        "theme": Flow(("custody",), (CITY, PLATFORM), "act.count-theme"),
        "shred": Flow(("custody",), (CITY, PLATFORM), "act.destroy-period"),
        "subjects": Flow(("custody",), (CITY, PLATFORM), "act.list-subjects"),
        "train": Flow(("research", "compute"), (RESEARCHER, PLATFORM), "act.train-model", seconds=48 * HOUR),
        "rows": Flow(("research", "compute"), (RESEARCHER, PLATFORM), "act.make-rows", _private("sql")),
        "table": Flow(("research", "compute"), (RESEARCHER, PLATFORM), "act.make-table", _private("sql")),
        "attack": Flow(("compute",), (RESEARCHER, PLATFORM), "act.attack-rows"),
        "register": Flow(("platform",), (RESEARCHER, PLATFORM), "act.register-version"),
        "promote": Flow(("platform",), (PLATFORM,), "act.promote-version", recent=True),
        "refuse-promotion": Flow(("platform",), (PLATFORM,), "act.refuse-version", seconds=HOUR),
        "roll-back": Flow(("platform",), (PLATFORM,), "act.roll-back-to-version", recent=True),
        "monitor": Flow(("compute",), (PLATFORM,), "act.monitor-model", seconds=HOUR),
        "acknowledge": Flow(("platform",), (PLATFORM,), "act.acknowledge-alert", seconds=HOUR),
        "snapshot": Flow(("compute", "platform"), (PLATFORM,), "act.make-snapshot"),
        "dossiers": Flow(("compute", "platform"), (PLATFORM,), "act.make-credit-files"),
        "evaluate": Flow(("compute", "platform"), (PLATFORM,), "act.evaluate-subjects", seconds=48 * HOUR),
        "export": Flow(("platform",), (PLATFORM,), "act.export-version"),
        "sweep": Flow(("platform", "custody", "compute"), (PLATFORM,), "act.destroy-seals", seconds=48 * HOUR),
        "bank": Flow(("service", "platform", "service"), (PLATFORM,), "act.add-or-change-bank"),
        "mandate": Flow(("service", "platform", "service"), (PLATFORM,), "act.grant-mandate", _private("uscc")),
        "revoke": Flow(("service", "platform", "service"), (PLATFORM,), "act.revoke-mandate"),
        "stop-answers": Flow(("platform",), (PLATFORM,), "act.stop-answers", seconds=HOUR, recent=True),
        "start-answers": Flow(("platform",), (PLATFORM,), "act.start-answers", seconds=HOUR, recent=True),
        "close-exits": Flow(("research",), (PLATFORM,), "act.close-exits", seconds=HOUR, recent=True),
        "open-exits": Flow(("research",), (PLATFORM,), "act.open-exits", seconds=HOUR, recent=True),
        "application": Flow(("service",), (PLATFORM,), "act.decide-application"),
        "subject-key": Flow(
            ("service", "platform", "service"), (PLATFORM,), "act.register-subject-key", _private("uscc")
        ),
        "subject-link": Flow(("service",), (PLATFORM,), "act.give-subject-link", _private("uscc"), recent=True),
        "review": Flow(("service",), (PLATFORM,), "act.answer-objection"),
        "usage": Flow(("platform",), (PLATFORM,), "act.count-usage"),
        "sandbox": Flow(("custody", "service", "platform", "service"), (PLATFORM,), "act.grant-mandate"),
        "project": Flow(("research",), (PLATFORM,), "act.open-projects"),
    }
)
"""Verb -> its flow."""


def flow_of(verb: str) -> Flow:
    """The flow of a verb; raises :class:`Malformed` for one that the front desk does not know."""
    flow = FLOWS.get(verb)
    if flow is None:
        raise Malformed("flows.no-such-verb", verb=verb[:40])
    return flow
