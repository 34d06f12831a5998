"""Reads that try to be unseen, made by a generator: each way to get at the bytes, in each process and at each moment.

A try is one or more cells of a kernel. It is done when a file of the home has its number, with the bytes that it got:
a try may go on after its cell has ended.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

_LIBC = (
    "import ctypes; libc = ctypes.CDLL(None, use_errno=True); libc.open.argtypes = [ctypes.c_char_p, ctypes.c_int]; "
)
WAYS: tuple[str, ...] = (  # each sets `got` to some of the bytes of `path`
    "got = open(path, 'rb').read()",
    "import io; got = io.FileIO(path).readall()",
    "import os; fd = os.open(path, os.O_RDONLY | os.O_NOATIME if os.getuid() == 0 else os.O_RDONLY); got = os.pread(fd, 99, 7); os.close(fd)",
    "import os; fd = os.open(path, 0); b = bytearray(64); os.readv(fd, [b]); got = bytes(b); os.close(fd)",
    "import mmap, os; fd = os.open(path, 0); m = mmap.mmap(fd, 0, prot=mmap.PROT_READ); os.close(fd); got = m[:64]",
    "import mmap, os; fd = os.open(path, 0); m = mmap.mmap(fd, 0, flags=mmap.MAP_PRIVATE); os.close(fd); got = m[-64:]",
    "import os; r, w = os.pipe(); fd = os.open(path, 0); os.sendfile(w, fd, 0, 64); os.close(fd); got = os.read(r, 64)",
    "import os; r, w = os.pipe(); fd = os.open(path, 0); os.splice(fd, w, 64, offset_src=0); os.close(fd); got = os.read(r, 64)",
    "import shutil, tempfile; t = tempfile.mktemp(); shutil.copyfile(path, t); got = open(t, 'rb').read(64)",
    "import os; a = os.open(path, os.O_PATH); got = open(f'/proc/self/fd/{a}', 'rb').read(64); os.close(a)",
    "import os; a = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY); fd = os.open(os.path.basename(path), 0, dir_fd=a); got = os.read(fd, 64)",
    "import os, tempfile; t = tempfile.mktemp(); os.symlink(path, t); got = open(t, 'rb').read(64)",
    "import subprocess; got = subprocess.run(['head', '-c', '64', path], capture_output=True).stdout",
    "import subprocess; got = subprocess.run(f'exec 9<{path}; head -c 64 <&9', shell=True, capture_output=True).stdout",
    "import subprocess; got = subprocess.run(['dd', f'if={path}', 'count=1', 'status=none'], capture_output=True).stdout",
    "import pyarrow.parquet as pq; got = str(pq.read_table(path).num_rows).encode()",
    "import duckdb; got = str(duckdb.sql(f\"SELECT count(*) FROM '{path}'\").fetchall()).encode()",
    "import numpy as np; got = bytes(np.memmap(path, mode='r')[:64])",
    "import numpy as np; got = np.fromfile(path, dtype='u1', count=64).tobytes()",
    _LIBC + "fd = libc.open(path.encode(), 0); b = ctypes.create_string_buffer(64); libc.read(fd, b, 64); got = b.raw",
    _LIBC
    + "f = libc.syscall; fd = f(257, -100, ctypes.c_char_p(path.encode()), 0); b = ctypes.create_string_buffer(64); f(17, fd, b, 64, 0); got = b.raw",
)
PROCESSES: tuple[str, ...] = (  # each runs `act()`, which reads and then says that it is done
    "act()",
    "import threading; t = threading.Thread(target=act); t.start(); t.join()",
    "import threading; threading.Timer(.05, act).start()",
    "import os\npid = os.fork()\nif pid == 0:\n    act(); os._exit(0)\nos.waitpid(pid, 0)",
    "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        import time; time.sleep(.05); act()\n    os._exit(0)",
    "import ctypes, os\nif os.fork() == 0:\n    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0); act(); os._exit(0)",
    "import ctypes, os\nctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\ntry:\n    act()\nfinally:\n    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)",
    "import ctypes, os, threading, time\nif os.fork() == 0:\n    def late():\n        time.sleep(.05); act(); os._exit(0)\n    threading.Thread(target=late).start()\n    ctypes.CDLL(None).pthread_exit(0)",
    "import signal\nsignal.signal(signal.SIGALRM, lambda *a: act()); signal.setitimer(signal.ITIMER_REAL, .05)",
    "import asyncio\nasync def later():\n    await asyncio.sleep(.05); act()\ntask = asyncio.get_running_loop().create_task(later()) if asyncio._get_running_loop() else asyncio.get_event_loop_policy().get_event_loop().create_task(later())",
    "get_ipython().events.register('post_run_cell', lambda *a: (get_ipython().events.callbacks['post_run_cell'].clear(), act()))",
    # The kernel says that the cell has ended, and reads then.
    "k = get_ipython().kernel\nk.session.send(k.iopub_socket, 'status', {'execution_state': 'idle'}, parent=k.get_parent('shell'), ident=b'status')\nimport time; time.sleep(.05); act()",
    # It says so of other cells, and sends messages of no sense.
    "k = get_ipython().kernel\nfor n in ('', 'x', '0' * 36):\n    k.session.send(k.iopub_socket, 'status', {'execution_state': 'idle'}, parent={'header': {'msg_id': n}}, ident=b'status')\nact()",
    "import subprocess, sys, cloudpickle, base64\np = base64.b64encode(cloudpickle.dumps(act)).decode()\nsubprocess.Popen([sys.executable, '-c', f\"import cloudpickle, base64; cloudpickle.loads(base64.b64decode('{{}}'))()\".format(p)], start_new_session=True)",
)
_ACT = """
path, number = {path!r}, {number}
def act():
    {way}
    import os
    with open(f'/home/lab/.new-{{number}}', 'wb') as f: f.write(bytes(got[:16]))
    os.rename(f'/home/lab/.new-{{number}}', f'/home/lab/.done-{{number}}')
"""
# An open file, and a mapping of one, that an earlier cell made: the read itself comes later.
EARLIER: tuple[tuple[str, str], ...] = (
    ("fd{n} = __import__('os').open({path!r}, 0)", "got = __import__('os').pread(fd{n}, 64, 0)"),
    ("f{n} = open({path!r}, 'rb')", "got = f{n}.read(64)"),
    ("fd{n} = __import__('os').open({path!r}, 0)", "import mmap; got = mmap.mmap(fd{n}, 0, prot=mmap.PROT_READ)[:64]"),
    (
        "import os, socket; s{n} = socket.socketpair(); fd = os.open({path!r}, 0); socket.send_fds(s{n}[0], [b'x'], [fd]); os.close(fd)",
        "fd = __import__('socket').recv_fds(s{n}[1], 1, 1)[1][0]; got = __import__('os').read(fd, 64)",
    ),
    (
        "fd{n} = __import__('os').open({path!r}, 0)",
        "import subprocess; got = subprocess.run(['head', '-c', '64'], stdin=fd{n}, capture_output=True).stdout",
    ),
)
_DONE = "\nopen('/home/lab/.done-{n}', 'wb').write(got[:16])"


@dataclass(frozen=True, slots=True)
class ReadTry:
    """One try: cells that run first, the cell that reads (or has something read), and the file that says it is done."""

    number: int
    table: str
    earlier: str
    cell: str

    @property
    def done(self) -> str:
        """The file of the home that exists when the bytes were got."""
        return f"/home/lab/.done-{self.number}"


def tries(count: int, tables: tuple[str, ...], seed: int = 7) -> Iterator[ReadTry]:
    """``count`` tries: every process with every way in turn, and every seventh one of a file opened earlier."""
    choose = random.Random(seed)
    pairs = [(way, process) for way in WAYS for process in PROCESSES]
    choose.shuffle(pairs)
    for number in range(count):
        table = tables[number % len(tables)]
        path = f"/data/{table}/bucket-000.parquet"
        if number % 7 == 3:
            before, later = EARLIER[number // 7 % len(EARLIER)]
            cell = later.format(n=number, path=path) + _DONE.format(n=number)
            yield ReadTry(number, table, before.format(n=number, path=path), cell)
        else:
            way, process = pairs[number % len(pairs)]
            cell = _ACT.format(path=path, number=number, way=way) + process
            yield ReadTry(number, table, "", cell)


GIVEN: tuple[tuple[str, str], ...] = (  # what a kernel opens and passes on, and how the other gets `f`, a file, from it
    ("fd = os.open({path!r}, 0)", "f = fd"),
    ("fd = os.open({path!r}, os.O_PATH)", "f = os.open(f'/proc/self/fd/{{fd}}', 0)"),
    ("fd = os.open({folder!r}, os.O_PATH)", "f = os.open('bucket-000.parquet', 0, dir_fd=fd)"),
    ("fd = os.open({folder!r}, 0)", "os.fchdir(fd); f = os.open('bucket-000.parquet', 0); os.chdir('/home/lab')"),
)
READ: tuple[str, ...] = (
    "got = os.pread(f, 64, 0)",
    "import mmap; got = mmap.mmap(f, 0, prot=mmap.PROT_READ)[:64]",
    "r, w = os.pipe(); os.sendfile(w, f, 0, 64); got = os.read(r, 64)",
    "import subprocess; got = subprocess.run(['head', '-c', '64'], stdin=f, capture_output=True).stdout",
)
_GIVE = """import os, socket, threading
if os.path.exists('/home/lab/.given'): os.unlink('/home/lab/.given')
s = socket.socket(socket.AF_UNIX); s.bind('/home/lab/.given'); s.listen()
{open}
threading.Thread(target=lambda: (socket.send_fds(s.accept()[0], [b'x'], [fd]), threading.Event().wait())).start()"""
_TAKE = """import os, socket
c = socket.socket(socket.AF_UNIX); c.connect('/home/lab/.given'); fd = socket.recv_fds(c, 1, 1)[1][0]"""
_WAIT = "print('ended' if c.recv(1) == b'' else 'there')"  # the giver's end closes its socket


@dataclass(frozen=True, slots=True)
class PassedOn:
    """A try with two kernels: one opens and passes on, the other takes, waits for the first one's end, and reads."""

    table: str
    give: str
    take: str
    wait: str
    read: str


def passed_on(tables: tuple[str, ...]) -> Iterator[PassedOn]:
    """Each way to give with each way to read."""
    for number, ((opens, gets), reads) in enumerate((given, reading) for given in GIVEN for reading in READ):
        table = tables[number % len(tables)]
        opened = opens.format(path=f"/data/{table}/bucket-000.parquet", folder=f"/data/{table}")
        read = f"{gets.format()}\n{reads}\nos.close(f)\nprint(got[:4])"
        yield PassedOn(table, _GIVE.format(open=opened), _TAKE, _WAIT, read)
