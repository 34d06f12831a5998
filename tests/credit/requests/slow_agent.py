"""An agent of custody whose step writes a file piece by piece: ``python -m tests.credit.requests.slow_agent ROOT``."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

from credit.files import write_atomically
from credit.requests.agent import Agent
from credit.requests.flows import FLOWS
from credit.requests.settings import AgentSettings
from credit.requests.task import Handler, StepResult, Task

PIECES = 20


def work(task: Task) -> StepResult:
    folder = ROOT / "work" / task.request.id
    for number in range(PIECES):
        task.report("writing", number, PIECES)
        write_atomically(folder / str(number), f"{number}".encode())
        time.sleep(0.004)
    return StepResult({"sum": sum(int((folder / str(number)).read_text()) for number in range(PIECES))})


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    ROOT = Path(sys.argv[1])
    settings = AgentSettings(
        shelf=ROOT / "shelf", keys=ROOT / "keys" / "custody", ring=ROOT / "keys" / "ring", ledgers=ROOT / "ledgers",
        runs=ROOT / "runs", requests=ROOT / "requests", poll=0.005,
    )  # fmt: skip
    verbs = [verb for verb, flow in FLOWS.items() if "custody" in flow.zones]
    Agent.open("custody", settings, {verb: Handler(work) for verb in verbs}).serve()
