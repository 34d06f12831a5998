"""System calls a sandbox may not make (seccomp), as a classic BPF program of a few hundred bytes; no library needed.

Denied: what makes namespaces or mounts, looks into other processes, loads code into the kernel, opens files by handle,
or makes memory that no limit counts (memfd, System V). Sockets: UNIX, INET, INET6 and NETLINK alone – a network
namespace does not isolate AF_VSOCK. ``clone3`` is answered ENOSYS, so that libraries fall back to ``clone``, whose
flags can be read (its arguments lie in memory, which a filter cannot see). What another project has in the machine's
cache of files is not said (``cachestat``, reads that do not wait), and no sandbox takes it out (``posix_fadvise``).

Numbers: ``arch/x86/entry/syscalls/syscall_64.tbl`` and ``include/uapi/asm-generic/unistd.h`` of Linux; the program's
form: ``seccomp(2)``, ``linux/filter.h``.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Mapping

from credit.errors import Refused

_LD, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06
# Offsets in struct seccomp_data (low words: both machines are little-endian).
_NR, _ARCH, _ARG0, _ARG1, _ARG3, _ARG5 = 0, 4, 16, 24, 40, 56
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NEW_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
_FAMILIES = (1, 2, 10, 16)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C

# name: (x86_64, aarch64); None where the machine has none
DENIED: Mapping[str, tuple[int | None, int | None]] = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "unshare": (272, 97), "setns": (308, 268),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "add_key": (248, 217),
    "request_key": (249, 218), "keyctl": (250, 219), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "fanotify_init": (300, 262), "memfd_create": (319, 279),
    "memfd_secret": (447, 447), "shmget": (29, 194), "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180),
    "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142), "acct": (163, 89), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "adjtimex": (159, 171), "sethostname": (170, 161), "setdomainname": (171, 162),
    "syslog": (103, 116), "quotactl": (179, 60), "vhangup": (153, 58), "iopl": (172, None), "ioperm": (173, None),
    "modify_ldt": (154, None), "personality": (135, 92), "lookup_dcookie": (212, 18), "cachestat": (451, 451),
}  # fmt: skip
_CLONE, _CLONE3, _SOCKET, _IOCTL = (56, 220), (435, 435), (41, 198), (16, 29)
_FADVISE, _PREADV2, _DONT_NEED, _NO_WAIT = (221, 223), (327, 286), 4, 8
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, AUDIT_ARCH_…


def program(machine: str = "") -> bytes:
    """The filter for ``machine`` (this one by default), for ``bwrap --seccomp``; raises :class:`Refused`."""
    machine = machine or platform.machine()
    if machine not in _MACHINES:
        raise Refused("seccomp.no-list-system-calls-for", machine=machine)
    column, arch = _MACHINES[machine]
    code = [_op(_LD, _ARCH), _op(_JEQ, arch, 1, 0), _op(_RET, _KILL), _op(_LD, _NR)]
    if machine == "x86_64":  # the x32 calls reach the same kernel functions
        code += [_op(_JGE, 0x40000000, 0, 1), _deny()]
    for numbers in DENIED.values():
        if (number := numbers[column]) is not None:
            code += [_op(_JEQ, number, 0, 1), _deny()]
    code += [_op(_JEQ, _CLONE3[column], 0, 1), _deny(errno.ENOSYS)]
    code += _when(_CLONE[column], [_op(_LD, _ARG0), _op(_JSET, _NEW_NAMESPACES, 0, 1), _deny()])
    code += _when(_IOCTL[column], [_op(_LD, _ARG1), _op(_JEQ, _TIOCSTI, 1, 0), _op(_JEQ, _TIOCLINUX, 0, 1), _deny()])
    code += _when(_FADVISE[column], [_op(_LD, _ARG3), _op(_JEQ, _DONT_NEED, 0, 1), _deny(0)])
    code += _when(_PREADV2[column], [_op(_LD, _ARG5), _op(_JSET, _NO_WAIT, 0, 1), _deny(errno.EOPNOTSUPP)])
    families = [_op(_JEQ, family, len(_FAMILIES) - place, 0) for place, family in enumerate(_FAMILIES)]
    code += _when(_SOCKET[column], [_op(_LD, _ARG0), *families, _deny(errno.EAFNOSUPPORT)])
    return b"".join([*code, _op(_RET, _ALLOW)])


def _op(code: int, k: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("<HBBI", code, yes, no, k)


def _deny(number: int = errno.EPERM) -> bytes:
    return _op(_RET, _ERRNO | number)


def _when(call: int, then: list[bytes]) -> list[bytes]:
    """Check the arguments of one call; what ``then`` does not refuse is allowed."""
    return [_op(_JEQ, call, 0, len(then) + 1), *then, _op(_RET, _ALLOW)]
