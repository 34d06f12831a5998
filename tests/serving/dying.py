"""The service, killed by SIGKILL when it records: `python dying.py VERB before|after NUMBER`, at the so-many-eth entry.

`before` is before the entry is written, `after` is when it is durable and nobody was told.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

from credit.actor import Actor
from credit.entry import Entry
from serving.__main__ import main
from serving.audit.group_commit import GroupCommitWriter

VERB, WHEN, NUMBER = sys.argv[1], sys.argv[2], int(sys.argv[3])
record, seen = GroupCommitWriter.record, 0


async def dying(self: GroupCommitWriter, verb: str, object_: str, *, by: Actor, details: Mapping[str, Any]) -> Entry:
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
    setattr(GroupCommitWriter, "record", dying)  # noqa: B010
    sys.exit(main())
