"""Attacks from a kernel, as data: each is a cell that prints ``REACHED`` with what it got, or nothing of the kind."""

from __future__ import annotations

_TRY = """
def tries(name, act):
    try:
        got = act()
    except BaseException as error:
        print("held", name, type(error).__name__, getattr(error, "errno", ""))
    else:
        print("REACHED", name, repr(got)[:200])
"""

ATTACKS: dict[str, str] = {
    "the internet and the metadata address": """
import socket
for where in (("1.1.1.1", 53), ("8.8.8.8", 443), ("169.254.169.254", 80), ("0.0.0.0", 8000), ("127.0.0.1", 5000)):
    tries(where, lambda: socket.create_connection(where, timeout=2))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
tries("udp", lambda: udp.sendto(b"x", ("1.1.1.1", 53)))
""",
    "names": """
import socket
tries("dns", lambda: socket.getaddrinfo("pypi.org", 443))
import subprocess
tries("getent", lambda: subprocess.run(["getent", "hosts", "pypi.org"], check=True, capture_output=True).stdout)
""",
    "families of sockets that no network namespace holds": """
import socket
for name, family in (("vsock", 40), ("packet", 17), ("bluetooth", 31), ("alg", 38), ("xdp", 44), ("tipc", 30), ("can", 29)):
    tries(name, lambda: socket.socket(family, socket.SOCK_STREAM if family != 17 else socket.SOCK_RAW))
tries("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
""",
    "abstract sockets of the machine": """
import socket
for name in ("@/tmp/.X11-unix/X0", "\\0haihe", "\\0/tmp/dbus", "\\0systemd"):
    s = socket.socket(socket.AF_UNIX)
    tries(name, lambda: s.connect("\\0" + name.lstrip("@\\0")))
""",
    "sockets by path: the hub, the proxy, the keeper, the control of the gateway": """
import glob, os, socket
known = ["/run/hub/hub.sock", "/run/keep/keep.sock", "/run/lab/../gateway.sock", "/run/docker.sock", "/run/dbus/system_bus_socket"]
for path in known + glob.glob("/run/haihe-*/**/*.sock", recursive=True) + glob.glob("/tmp/haihe-*/**/*.sock", recursive=True):
    s = socket.socket(socket.AF_UNIX)
    tries(path, lambda: s.connect(path))
""",
    "descriptors that were left open": """
import os
for fd in os.listdir("/proc/self/fd"):
    try:
        place = os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        continue
    fine = place.startswith(("pipe:", "socket:", "anon_inode:", "/dev/null", "/tmp/", "/home/lab", "/proc/"))
    if place.startswith("pipe:"):
        try:
            again = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_NONBLOCK)
            os.close(again)
        except OSError:
            pass
    print("held" if fine else "REACHED", fd, place)
""",
    "other processes": """
import os
mine = [p for p in os.listdir("/proc") if p.isdigit()]
words = [open(f"/proc/{p}/cmdline").read().replace(chr(0), " ") for p in mine]
for word in words:
    if any(name in word for name in ("jupyterhub", "lab.gateway", "lab.workspace", "lab.console", "mlflow", "raylet", "node")):
        print("REACHED", word)
tries("environment of pid 1", lambda: open("/proc/1/environ").read())
tries("memory of pid 1", lambda: open("/proc/1/mem", "rb").read(1))
tries("root of pid 1", lambda: os.listdir("/proc/1/root"))
tries("stop pid 1", lambda: os.kill(1, 9) or (_ for _ in ()).throw(PermissionError("ignored")))
""",
    "files of the machine and of others": """
import os
for path in ("/etc/shadow", "/".join(("", "root", ".ssh")), "/var/log/syslog", "/sys/class/dmi/id/product_uuid", "/home/other",
             "/proc/1/cwd", "/proc/kcore", "/dev/mem", "/dev/sda", "/dev/vda", "/run/secrets"):
    tries(path, lambda: os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1))
names = {"credentials.sqlite", "desk.jsonl", "hub.sqlite", "cookie_secret", "ids.json", "access.db", "research.jsonl", "custody.jsonl"}
for top in os.listdir("/"):
    if top in ("proc", "usr") or os.path.islink("/" + top):  # /usr is the system's, the same for everybody
        continue
    for folder, _, files in os.walk("/" + top):
        for name in files:
            if name in names or name.startswith("signing-") or name.endswith(".key") and "/site-packages/" not in folder:
                print("REACHED", os.path.join(folder, name))
print(sorted(os.listdir("/")))
""",
    "tokens and passwords": """
import os
for name, value in os.environ.items():
    if any(word in name for word in ("TOKEN", "SECRET", "PASSWORD", "JUPYTERHUB", "HAIHE_HUB", "CONFIGPROXY")):
        print("REACHED", name)
""",
    "another uid": """
import os, subprocess
tries("setuid", lambda: os.setuid(0))
tries("setgid", lambda: os.setgid(0))
tries("groups", lambda: os.setgroups([0]))
tries("server's uid", lambda: os.setresuid(os.getuid() - 1, os.getuid() - 1, os.getuid() - 1))
for command in (["su", "-c", "id"], ["mount", "-t", "tmpfs", "none", "/mnt"], ["newgrp", "root"], ["passwd", "-S", "root"]):
    tries(command, lambda: subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=10).stdout)
print([line for line in open("/proc/self/status") if line.startswith("Cap") and not line.split()[1].strip("0") == ""] and "REACHED caps" or "no capabilities")
""",
    "namespaces, mounts, other processes' memory, the kernel's programs": """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *given):
    def act():
        if libc.syscall(number, *given) < 0:
            raise OSError(ctypes.get_errno(), "no")
        return "done"
    return act
machine = os.uname().machine
if machine == "x86_64":
    for name, number, given in (
        ("unshare user", 272, (0x10000000,)), ("unshare net", 272, (0x40000000,)), ("setns", 308, (0, 0)), ("ptrace", 101, (0, 0, 0, 0)),
        ("mount", 165, (0, 0, 0, 0, 0)), ("pivot_root", 155, (0, 0)), ("chroot", 161, (b"/tmp",)), ("bpf", 321, (0, 0, 0)),
        ("perf", 298, (0, 0, -1, -1, 0)), ("keyctl", 250, (0, -3, 0)), ("add_key", 248, (b"user", b"x", b"x", 1, -3)),
        ("io_uring", 425, (8, 0)), ("userfaultfd", 323, (0,)), ("memfd", 319, (b"x", 0)), ("shmget", 29, (0, 4096, 0o1600)),
        ("open by handle", 304, (0, 0, 0)), ("pidfd_getfd", 438, (0, 0, 0)), ("kexec", 246, (0, 0, 0, 0)), ("init_module", 175, (0, 0, 0)),
        ("personality", 135, (0x0400000,)), ("fsopen", 430, (b"tmpfs", 0)), ("move_mount", 429, (0, 0, 0, 0, 0)),
        ("clone user", 56, (0x10000000 | 17, 0, 0, 0, 0)), ("x32 getpid", 0x40000000 | 39, ()),
    ):
        tries(name, call(number, *given))
import fcntl
tries("TIOCSTI", lambda: fcntl.ioctl(0, 0x5412, b"x"))
""",
    "writing where a kernel may only read": """
import os, sys
for path in ("/data/x", "/usr/x", "/etc/x", "/run/x", "/run/lab/x", "/x", os.path.join(sys.prefix, "x"), "/proc/sys/kernel/hostname", "/sys/x"):
    tries(path, lambda: open(path, "w").write("x"))
import glob
table = sorted(glob.glob("/data/*/bucket-000.parquet"))[0]
tries("a table's file", lambda: open(table, "r+b"))
tries("its mode", lambda: os.chmod(table, 0o777))
tries("remount", lambda: __import__("subprocess").run(["mount", "-o", "remount,rw", "/data"], check=True, capture_output=True))
""",
    "the tables that were not granted": """
import os, json
granted = {"registration", "administrative_penalty", "administrative_licence", "tax_credit_rating", "loan_performance", "manifest.json", "rows"}
for name in set(os.listdir("/data")) - granted:
    print("REACHED", name)
tries("up from /data", lambda: open("/data/registration/../judgment_debtor/bucket-000.parquet", "rb").read(1))
""",
    "limits raised": """
import resource
for what in ("RLIMIT_NPROC", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE"):
    hard = resource.getrlimit(getattr(resource, what))[1]
    tries(what, lambda: resource.setrlimit(getattr(resource, what), (hard + 1, hard + 1)))
""",
}


def cell(name: str) -> str:
    """The code of an attack."""
    return _TRY + ATTACKS[name]


FORGED_GATEWAY = """
import http.client, socket
def ask(path, headers):
    c = http.client.HTTPConnection("gateway"); c.sock = socket.socket(socket.AF_UNIX)
    c.sock.connect("/run/lab/gateway.sock"); c.request("GET", path, headers=headers); return c.getresponse().read().decode()
forged = {"X-User": "bobby", "X-Forwarded-User": "bobby", "Authorization": "Bearer bobby", "X-Workspace": "bobby--shops"}
for headers in ({}, forged, {"Host": "bobby--shops"}):
    print(ask("/v1/me?user=bobby&project=shops", headers))
print(ask("/v1/cells", {}))
"""

LINKS = """
import os
for name, place in (("a.txt", "/proc/self/environ"), ("b.txt", "/etc/passwd"), ("c", "/"), ("d.ipynb", "/tmp/x")):
    os.path.lexists(name) or os.symlink(place, name)
"""

SWAPPED_SOCKETS = """
import os, glob
folder = glob.glob("/run/kernels/*")[0]
for number in range(1, 6):
    os.rename(f"{folder}/k-{number}", f"{folder}/old-{number}"); os.symlink("/run/hub/hub.sock", f"{folder}/k-{number}")
"""

FORK_BOMB = """
import os, time
made = 0
try:
    while made < 500:
        pid = os.fork()
        if pid == 0:
            time.sleep(20); os._exit(0)
        made += 1
except OSError as error:
    print("stopped", made, error.errno)
"""

MEMORY_BOMB = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        block = bytearray(400 << 20)
        for at in range(0, len(block), 4096): block[at] = 1
        time.sleep(60)
time.sleep(45)
print("REACHED")
"""

FULL_HOME = """
import time
for number in range(40):
    open(f"f{number}", "wb").write(b"x" * (4 << 20))
time.sleep(25)
print("REACHED")
"""

FULL_TMP = """
import os
for folder, most in (("/tmp", 64), ("/dev/shm", 64)):
    wrote = 0
    try:
        with open(folder + "/x", "wb") as f:
            while wrote < 4 * most: f.write(b"x" * (1 << 20)); f.flush(); wrote += 1
        print("REACHED", folder, wrote)
    except OSError as error: print("held", folder, error.errno)
    os.unlink(folder + "/x")
"""
