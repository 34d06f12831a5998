"""Start and end one sandbox. No process of it outlives ours.

``--die-with-parent`` kills bubblewrap when this process dies, and the pid namespace goes with it. The program's output
goes into a pipe that we drain: an inherited file of ours could be opened again through ``/proc/self/fd``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from credit.errors import Refused
from credit.messages import Text
from infra.sandbox.bubblewrap import Sandbox, command
from infra.sandbox.cgroup import Cgroup
from infra.sandbox.seccomp import program

KEPT = 64 * 1024  # bytes of output kept, the newest
GRACE = 3.0  # seconds between the signal to end and the kill
MOUNT_SECONDS = 30.0  # until the mounts of a sandbox must be there


@dataclass(slots=True)
class Tail:
    """The newest output of a sandbox, in memory alone: it may hold what a researcher saw."""

    content: bytearray = field(default_factory=bytearray)

    def feed(self, chunk: bytes) -> None:
        """Add output, forgetting what is older than :data:`KEPT` bytes."""
        self.content += chunk
        del self.content[: max(0, len(self.content) - KEPT)]

    def lines(self, count: int = 5) -> list[str]:
        """The last lines."""
        return self.content.decode(errors="replace").splitlines()[-count:]


@dataclass(slots=True)
class Running:
    """A started sandbox. ``first`` is the pid, as we see it, of the first process of its pid namespace."""

    process: asyncio.subprocess.Process
    first: int
    output: Tail
    drain: asyncio.Task[None]

    @property
    def is_running(self) -> bool:
        """True until bubblewrap has ended."""
        return self.process.returncode is None

    def family(self) -> list[int]:
        """The pids of all processes in it."""
        return list(_family(self.first)) if self.is_running else []

    def signal(self, number: int) -> None:
        """Send a signal to the program itself."""
        for pid in _children(self.first):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """End every process in it at once."""
        for pid in (self.first, self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def stop(self, grace: float = GRACE) -> int:
        """Signal the program to end, then kill it; its exit code."""
        if self.is_running:
            self.signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), grace)
        self.kill()
        code = await self.process.wait()
        await self.drain
        return code


async def start(
    wanted: Sandbox,
    *,
    env: Mapping[str, str],
    pass_fds: Sequence[int] = (),
    cgroup: Cgroup | None = None,
    before: Callable[[int], None] | None = None,
) -> Running:
    """Start a sandbox with this environment and no other; raises :class:`Refused` when it does not come up.

    ``before`` is called in a thread when every mount of a sandbox that waits is there and its program has not run, with
    the pid of its first process; when it raises, the program never runs.
    """
    with ExitStack() as kept:
        seccomp = kept.enter_context(_readable(program()))
        files = {place: kept.enter_context(_readable(content)) for place, content in wanted.all_made.items()}
        info_read, info_write = os.pipe()
        kept.callback(_close, info_read)
        words = command(wanted, seccomp_fd=seccomp, info_fd=info_write, file_fds=files)
        ours, theirs = (kept.enter_context(each) for each in socket.socketpair())
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                env=dict(env),
                stdin=theirs.fileno() if wanted.waits else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=(seccomp, info_write, *files.values(), *pass_fds),
                umask=0o007,
                preexec_fn=_joining(cgroup),
            )
        except FileNotFoundError as error:
            raise Refused("start.no-sandbox-here") from error
        finally:
            _close(info_write)
        assert process.stdout is not None
        output = Tail()
        drain = asyncio.create_task(_drain(process.stdout, output))
        theirs.close()
        info = await asyncio.to_thread(_read_all, info_read)
        if not info:
            await process.wait()
            await drain
            raise Refused("start.sandbox-did-not-start", why=_last_words(output.lines(3), process.returncode))
        running = Running(process, int(json.loads(info)["child-pid"]), output, drain)
        if wanted.waits:
            await _let_go(running, ours, before)
    return running


async def _let_go(running: Running, ours: socket.socket, before: Callable[[int], None] | None) -> None:
    """Let a program that waits run, after ``before``; end it when that raises or it does not come so far."""
    ours.settimeout(MOUNT_SECONDS)
    try:
        if await asyncio.to_thread(ours.recv, 1) != b"\n":
            raise Refused("start.sandbox-did-not-start", why=_last_words(running.output.lines(3), None))
        if before:
            await asyncio.to_thread(before, running.first)
        ours.sendall(b"go\n")
    except BaseException as error:
        await running.stop(0)
        if isinstance(error, OSError):
            raise Refused("start.sandbox-did-not-start", why=Text.verbatim(str(error))) from error
        raise


def _last_words(lines: Sequence[str], code: int | None) -> Text:
    return Text.verbatim(" | ".join(lines)) if lines else Text.of("start.ended-with", code=code)


def _joining(cgroup: Cgroup | None) -> Callable[[], None] | None:
    """What the child does before it becomes bubblewrap: join its cgroup, so that no process is outside it."""
    return cgroup.join if cgroup else None


async def _drain(stream: asyncio.StreamReader, into: Tail) -> None:
    while chunk := await stream.read(16 * 1024):
        into.feed(chunk)


@contextlib.contextmanager
def _readable(content: bytes) -> Iterator[int]:
    """A descriptor that gives these bytes (they fit a pipe's buffer) and then ends."""
    if len(content) > 60_000:
        raise ValueError("a made file must fit into a pipe")
    read, write = os.pipe()
    try:
        os.write(write, content)
        os.close(write)
        yield read
    finally:
        _close(read)


def _read_all(fd: int) -> bytes:
    parts = []
    while part := os.read(fd, 4096):
        parts.append(part)
    return b"".join(parts)


def _close(fd: int) -> None:
    with contextlib.suppress(OSError):
        os.close(fd)


def _children(pid: int) -> list[int]:
    pids: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                pids += map(int, (task / "children").read_text().split())
    return pids


def _family(pid: int) -> Iterator[int]:
    yield pid
    for child in _children(pid):
        yield from _family(child)
