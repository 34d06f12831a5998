"""Settings of the front desk, read from ``HAIHE_DESK_…``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """The folders and the socket of the desk."""

    keys: Path  # its own private key
    ring: Path
    ledgers: Path  # the folder of every zone's ledger; read only, except its own
    runs: Path  # the folder in which each agent has one for its progress, read only
    requests: Path  # private arguments, written here and read by the agents
    socket: Path
    hub: str = ""  # the hub's API, where tokens are verified; without one no token is accepted
    shared: bool = False  # other users than that of the desk may open the socket
    confirm: str = ""  # the verbs that a second person confirms, as "mandate,revoke"
