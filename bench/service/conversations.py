"""Conversations over HTTP made from numbers, with the service itself and through its proxy: how many went wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache

from bench.record import record

SECONDS = 60
_LINE = re.compile(r"conversations (\d+) wrong (\d+) killed (\d+)")


def conversations_tried() -> None:
    """How many there were."""
    tried, _, _, more = _run()
    record("conversations_tried", tried, "conversations", data="generated", more=more)


def wrong_identity() -> None:
    """Answers that went to another caller, or whose entry names one."""
    _, wrong, _, more = _run()
    record("wrong_identity", wrong, "answers", goal=0, data="generated", more=more)


def connections_killed() -> None:
    """Connections that ended although what was sent on them was in order."""
    _, _, killed, more = _run()
    record("connections_killed", killed, "connections", goal=0, data="generated", more=more)


@cache
def _run() -> tuple[int, int, int, dict[str, object]]:
    """A minute of new conversations, half of it through the proxy."""
    seconds = float(os.environ.get("HAIHE_FUZZ_SECONDS", SECONDS))
    command = [sys.executable, "-m", "pytest", "-q", "-s", "tests/serving/http/test_conversations.py"]
    env = {**os.environ, "HAIHE_FUZZ_SECONDS": str(seconds)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    tried, wrong, killed = (sum(map(int, column)) for column in zip(*_LINE.findall(done.stdout), strict=True))
    return tried, wrong, killed, {"seconds": seconds, "passed": done.returncode == 0}
