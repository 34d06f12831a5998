"""Starts the agent of one zone: ``python -m infra.agents custody``. It ends at SIGTERM or SIGINT."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys

from credit.errors import CreditError
from credit.requests.settings import AgentSettings
from credit.requests.state_reader import AGENTS
from credit.settings import read


def main(zone: str) -> int:
    """Run the agent until a signal ends it; the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    os.umask(0o027)  # other zones may read what this one leaves; other users may not
    settings = read(AgentSettings, os.environ, f"HAIHE_{zone.upper()}_")
    try:
        module = importlib.import_module(f"infra.agents.{zone}")
        agent = module.open_agent(settings, os.environ)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: agent.end.set())
        agent.serve()
    except CreditError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in AGENTS:
        sys.exit(f"python -m infra.agents {'|'.join(AGENTS)}")
    sys.exit(main(sys.argv[1]))
