"""A custody zone beside the console's: its agent as a process of its own, and an invented city's files for it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from credit.actor import Actor, Role
from credit.files import write_atomically
from credit.requests.request_states import RequestState
from infra.desk.register import Register
from infra.desk.settings import DeskSettings
from privacy import city
from tests.lab.console.zone import Zone

HE, DAY = Actor("he", Role.CITY), date(2026, 11, 1)
MAPPING = """source: 示例市监局（虚构）
files: ["市监局处罚*.xlsx"]
table: administrative_penalty
columns: {当事人: CF_XDR_MC, 当事人代码: CF_XDR_SHXYM, 文号: CF_WSH}
constants: {CF_ZFLY: 市场监管, JLZT: normal}
"""


def register_of(zone: Zone) -> Register:
    """The front desk's register of a zone."""
    root = zone.settings.ledger.parents[1]
    folders = {name: root / name for name in ("ring", "ledgers", "runs", "requests")}
    settings = DeskSettings(**folders, keys=root / "keys" / "desk", socket=Path("/nowhere"))
    return Register.open(settings, lambda name: zone.accounts.get(name).roles)


@contextmanager
def running_custody(zone: Zone) -> Iterator[None]:
    """The agent of custody, until the block ends."""
    root = zone.settings.ledger.parents[1]
    if not (secret := root / "keys" / "custody" / "raw.key").exists():
        write_atomically(secret, os.urandom(32), mode=0o600)
    places = {name: root / name for name in ("shelf", "ring", "ledgers", "runs", "requests", "raw")}
    places |= {"keys": root / "keys" / "custody", "ledger": root / "ledgers" / "custody.jsonl"}
    env = os.environ | {f"HAIHE_CUSTODY_{name.upper()}": str(path) for name, path in places.items()}
    with (root / "custody.log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", "infra.agents", "custody"], env=env, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def carried_out(zone: Zone, verb: str, arguments: Mapping[str, Any]) -> RequestState:
    """A request of the city's person, when custody has carried it out."""
    register = register_of(zone)
    made = register.make(verb, arguments, by=HE, factor="totp", today=DAY)
    limit = time.monotonic() + 120
    while not (state := register.get(made.request.id)).ended:
        assert time.monotonic() < limit, (register.settings.ledgers.parent / "custody.log").read_text()[-2000:]
        time.sleep(0.05)
    return state


def bring_city(zone: Zone) -> RequestState:
    """Bring the raw files of a small invented city in, with a mapping of one source unit."""
    root = zone.settings.ledger.parents[1]
    city.build(root / "city", subjects=300, seed=7, today=DAY)
    (root / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    arguments = {"paths": [str(root / "city")], "mapping": str(root / "mapping.yaml"), "catalogue": "city"}
    return carried_out(zone, "intake", arguments)
