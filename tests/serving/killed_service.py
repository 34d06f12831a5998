"""The service, which kills itself with SIGKILL when it records: `python killed_service.py VERB before|after NUMBER`.

NUMBER says at which entry of VERB: `before` it is written, or `after` it is durable and before the answer leaves.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

from credit.actor import Actor
from credit.ledger.entry import Entry
from serving.__main__ import main
from serving.audit.group_commit import GroupCommitWriter

VERB, WHEN, NUMBER = sys.argv[1], sys.argv[2], int(sys.argv[3])
record, seen = GroupCommitWriter.record, 0


async def record_and_die(
    self: GroupCommitWriter, verb: str, object_: str, *, by: Actor, details: Mapping[str, Any]
) -> Entry:
    global seen
    seen += verb == VERB
    last = verb == VERB and seen == NUMBER
    if last and WHEN == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    entry = await record(self, verb, object_, by=by, details=details)
    if last:
        os.kill(os.getpid(), signal.SIGKILL)
    return entry


if __name__ == "__main__":
    setattr(GroupCommitWriter, "record", record_and_die)  # noqa: B010
    sys.exit(main())
