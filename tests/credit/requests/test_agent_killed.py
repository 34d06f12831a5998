"""An agent killed at fifty random moments loses no request and does none twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time

from credit.requests.request import STEP_DONE, Stage
from tests.credit.requests.slow_agent import PIECES
from tests.credit.requests.zone_lab import PETRA, ZoneLab

KILLS = 50


def test_an_agent_killed_at_random_moments_does_every_step_once(lab: ZoneLab) -> None:
    moments = random.Random(12)
    names = [lab.request("release", PETRA, number=number, on=str(number)) for number in range(8)]
    command = [sys.executable, "-m", "tests.credit.requests.slow_agent", str(lab.root)]
    for _ in range(KILLS):
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        assert process.stderr is not None
        process.stderr.readline()  # started
        time.sleep(moments.uniform(0, 0.12))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        for name in names:
            state = lab.wait(name, lambda state: state.stage is Stage.DONE, seconds=60)
            assert state.results == [{"sum": sum(range(PIECES))}]
        process.terminate()
    done = [entry.object for entry in lab.entries("custody") if entry.verb == STEP_DONE]
    assert sorted(done) == sorted(names)
