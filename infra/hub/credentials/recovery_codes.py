"""Recovery codes (恢复码): for a person who lost the second factor. Each signs in once; only digests are stored.

A code has 79 bits, so a plain digest cannot be searched for it.
"""

from __future__ import annotations

import hashlib
import secrets

from lab.accounts.account import CODE_LETTERS, plain_code

COUNT, GROUPS, LENGTH = 10, 4, 4


def new_recovery_codes() -> tuple[str, ...]:
    """Ten new codes, as a person writes them down."""
    return tuple("-".join(_group() for _ in range(GROUPS)) for _ in range(COUNT))


def is_recovery_code(written: str) -> bool:
    """True for what has the form of one."""
    return len(plain_code(written)) == GROUPS * LENGTH


def recovery_digest(name: str, written: str) -> str:
    """What is stored of a code of an account."""
    return hashlib.sha256(f"{name}\0{plain_code(written)}".encode()).hexdigest()


def _group() -> str:
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(LENGTH))
