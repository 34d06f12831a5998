"""What every agent does beside its requests: it countersigns the other zones' ledgers, and seals its own segments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from credit.actor import Actor, Role
from credit.keys import KeyRing
from credit.ledger import Ledger
from credit.ledger.witness import countersign
from credit.requests.state_reader import LEDGER_ZONES


def witness_duty(own: Ledger, ledgers: Path, ring: KeyRing) -> Callable[[], None]:
    """A function that looks at every ledger in the folder ``ledgers`` but ``own`` and countersigns what has grown.

    A ledger that was cut, or rewritten, is an alarm in ``own`` and beside the statements; nothing else stops. Ledgers
    that have not begun are left out.
    """
    others = {name: Ledger(ledgers / f"{name}.jsonl", None, ring, zone) for name, zone in LEDGER_ZONES.items()}
    actor = Actor(f"agent-{own.zone}", Role.SERVICE)

    def witness() -> None:
        countersign(others, own, ledgers / "witness", by=actor)
        own.seal_closed()

    return witness
