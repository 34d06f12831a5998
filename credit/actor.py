"""Actors: the person or process that acts, in a role. Every function that changes something takes ``by: Actor``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from credit.errors import Malformed, Refused
from credit.messages import Text

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


class Role(StrEnum):
    """The role in which an actor acts."""

    CITY = "city"  # 归集部门: brings records in, repairs and expires them
    PLATFORM = "platform"  # 平台: releases data, promotes versions
    RESEARCHER = "researcher"  # 研究人员
    REVIEWER = "reviewer"  # 审核人员
    BANK = "bank"  # 银行
    AUDITOR = "auditor"  # 审计人员: reads, changes nothing
    SERVICE = "service"  # a process of this system that acts on its own
    SUBJECT = "subject"  # 信用主体: acts on its own page, under its pseudonym; no account has this role


@dataclass(frozen=True, order=True, slots=True)
class Actor:
    """A name in a role, written ``role:name``. Raises :class:`Malformed` for a name that is not well formed."""

    name: str
    role: Role

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise Malformed("actor.not-actor-name")

    @classmethod
    def parse(cls, text: str) -> Actor:
        """Read ``role:name``; raises :class:`Malformed`."""
        role, colon, name = text.partition(":")
        if not colon or role not in set(Role):
            raise Malformed("actor.not-actor", role=", ".join(Role))
        return cls(name, Role(role))

    def require_role(self, *roles: Role, act: str | Text) -> None:
        """Raise :class:`Refused` unless this actor has one of ``roles``.

        ``act`` is a message, or the id of one, that names what was tried.
        """
        if self.role not in roles:
            what = act if isinstance(act, Text) else Text(act)
            raise Refused("actor.may-not", name=self, act=what, roles=", ".join(roles))

    def __str__(self) -> str:
        return f"{self.role}:{self.name}"
