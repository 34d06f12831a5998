"""The loop inside the process of a `SubprocessWorker`: it does one kind of work, task after task, at low priority.

A task is bytes, and so is its result. Tasks on files from outside run within limits of memory and time, and without
write access to files.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable

GOOD, INVALID, FAULT, SIZE = b"+", b"-", b"!", 8  # outcomes of a task; bytes of a length
NICE = 10


class InvalidTask(Exception):
    """The bytes of the task cannot be processed; the argument is the reason, which the other side interprets."""


def limit_resources(memory: int, processor: int | None = None) -> None:
    """Limit this process to so many bytes of address space and seconds of processor time, and forbid writing files."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the data of a task must not stay on a disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if processor is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (processor, processor))


def serve_tasks(work: Callable[[bytes], bytes], *, idle: bool = False) -> int:
    """Process tasks from standard input until it ends; return exit code 0.

    With `idle`, the process runs only while no other process wants the processor. A task is eight bytes of length and
    its bytes; a result has the same form after one byte for the outcome.
    """
    os.nice(NICE)
    if idle and hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while len(size := source.read(SIZE)) == SIZE:
        task = source.read(int.from_bytes(size, "big"))
        try:
            outcome, result = GOOD, work(task)
        except InvalidTask as error:
            outcome, result = INVALID, str(error).encode()
        except Exception as fault:  # its class alone: its message may contain data of the task
            outcome, result = FAULT, type(fault).__name__.encode()
        sink.write(outcome + len(result).to_bytes(SIZE, "big") + result)
        sink.flush()
    return 0
