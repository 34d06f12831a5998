"""The other end of `serving.processes.subprocess_worker`: a process that does one kind of work, task after task, and
yields to answers.

It is given bytes and gives bytes back. What was made by others is worked on within bounds: of memory, of time, and with
no file to write.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable

GOOD, INVALID, FAULT, SIZE = b"+", b"-", b"!", 8
NICE = 10


class InvalidTask(Exception):
    """The bytes given cannot be worked on; the word says why, and the other end knows what to tell of it."""


def limit_resources(memory: int, processor: int | None = None) -> None:
    """Let this process have so many bytes of address space and seconds of a processor, and write no file."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # what was given does not stay on a disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if processor is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (processor, processor))


def serve_tasks(work: Callable[[bytes], bytes], *, idle: bool = False) -> int:
    """Work on what comes over standard input until it ends; when `idle`, only while nobody else wants the processor.

    A task is eight bytes of length and its bytes; what comes back has one byte before that says how it went.
    """
    os.nice(NICE)
    if idle and hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    given, told = sys.stdin.buffer, sys.stdout.buffer
    while len(size := given.read(SIZE)) == SIZE:
        task = given.read(int.from_bytes(size, "big"))
        try:
            how, said = GOOD, work(task)
        except InvalidTask as bad:
            how, said = INVALID, str(bad).encode()
        except Exception as fault:  # its class alone: what it says may hold what was given
            how, said = FAULT, type(fault).__name__.encode()
        told.write(how + len(said).to_bytes(SIZE, "big") + said)
        told.flush()
    return 0
