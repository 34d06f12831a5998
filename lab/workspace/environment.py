"""The server's settings and its token, which come through a pipe: no process shows them in its environment.

``/proc/<pid>/environ`` shows what a process was started with; a link or a fault that leads there finds no token.
"""

from __future__ import annotations

import json
import os

PIPE = "HAIHE_WORKSPACE_ENVIRONMENT"  # the number of a descriptor


def receive() -> None:
    """Add what the supervisor sends to this process's environment, and close the pipe."""
    with os.fdopen(int(os.environ.pop(PIPE)), "rb") as pipe:
        os.environ.update(json.loads(pipe.read()))
