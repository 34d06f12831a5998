"""Starts agents fast, to be killed: ``python -m tests.infra.forked_agents HOME`` forks one for each zone it reads.

It has imported what agents need, and has opened nothing. It answers with the pid once the agent is at work.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from credit.requests.settings import AgentSettings
from credit.settings import read
from infra.home import Home


def agent(home: Home, zone: str) -> None:
    """Serve as the agent of a zone until killed."""
    env = home.environment(zone)
    module = importlib.import_module(f"infra.agents.{zone}")
    module.open_agent(read(AgentSettings, env, f"HAIHE_{zone.upper()}_"), env).serve()


if __name__ == "__main__":
    PLACE = Home(Path(sys.argv[1]))
    for each in ("infra.agents.custody", "infra.agents.platform", "infra.agents.compute", "models.snapshots.renewal"):
        importlib.import_module(each)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.setsid()
            agent(PLACE, line.strip())
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        os.waitpid(pid, 0)
