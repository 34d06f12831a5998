"""The other end of `serving.aside`: a process that does one kind of work, task after task, and yields to answers.

It knows no key, no setting and no ledger; it is given bytes and gives bytes back, within a bound of memory.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable

GOOD, UNFIT, FAULT, SIZE = b"+", b"-", b"!", 8
NICE = 10


class Unfit(Exception):
    """The bytes given cannot be worked on; the word says why, and the other end knows what to tell of it."""


def attend(work: Callable[[bytes], bytes], *, memory: int, processor: int | None = None) -> int:
    """Work on what comes over standard input until it ends; `memory` in bytes of address space, `processor` in seconds.

    A task is eight bytes of length and its bytes; what comes back has one byte before that says how it went.
    """
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # what was given does not stay on a disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if processor is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (processor, processor))
    given, told = sys.stdin.buffer, sys.stdout.buffer
    while len(size := given.read(SIZE)) == SIZE:
        task = given.read(int.from_bytes(size, "big"))
        try:
            how, said = GOOD, work(task)
        except Unfit as bad:
            how, said = UNFIT, str(bad).encode()
        except Exception as fault:  # its class alone: what it says may hold what was given
            how, said = FAULT, type(fault).__name__.encode()
        told.write(how + len(said).to_bytes(SIZE, "big") + said)
        told.flush()
    return 0
