"""Who is on a connection of the front desk's socket: a token of the hub, the operating-system user, or ``--by``.

In this order. ``--by`` exists in an invented home alone, and names an account there. A token presented decides, also
when it is refused: the operating-system user is not a second try. What a client sends about its own uid is never read.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from credit.actor import Actor, Role
from credit.errors import Refused, Unauthenticated
from credit.messages import Text

_SCHEMES = ("token", "bearer")
_UCRED = struct.Struct("iii")  # pid, uid, gid: struct ucred of unix(7)


class Means(StrEnum):
    """How the desk knows a person."""

    TOKEN = "token"  # they signed in at the hub
    OS_USER = "os-user"  # the kernel named their operating-system user
    INVENTED = "invented"  # an invented home believed a flag


@dataclass(frozen=True, slots=True)
class PeerCredentials:
    """The process at the other end of a unix socket, from the kernel (``SO_PEERCRED``)."""

    pid: int
    uid: int
    gid: int

    @classmethod
    def of(cls, connected: socket.socket) -> PeerCredentials:
        """The process that connected; the kernel wrote this down at that moment."""
        return cls(*_UCRED.unpack(connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)))


@dataclass(frozen=True, slots=True)
class TokenUser:
    """What the hub knows of a token: whose it is, and how and when that person signed in in the token's session."""

    account: str
    factor: str
    signed_in_at: datetime
    until: datetime


class TokenUsers(Protocol):
    """Whose token a process of ``uid`` presents; raises :class:`Unauthenticated` for one that is not for the desk."""

    def user_of(self, token: str, uid: int) -> TokenUser: ...


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person on a connection, with the roles that the account has at this moment.

    ``wanted`` is the role that ``--by`` names. ``signed_in_at`` is None for an operating-system user: when that person
    signed in at the machine is not known here.
    """

    account: str
    roles: tuple[Role, ...]
    factor: str
    means: Means
    signed_in_at: datetime | None = None
    until: datetime | None = None
    wanted: Role | None = None

    def actor(self, allowed: Sequence[Role], *, act: str | Text) -> Actor:
        """This person in the role in which they may do ``act``: the first of ``allowed`` that the account has.

        Raises :class:`Refused` when it has none of them, or when ``--by`` named another role.
        """
        roles = (self.wanted,) if self.wanted else self.roles
        for role in allowed:
            if role in roles:
                return Actor(self.account, role)
        acting = Actor(self.account, roles[0])
        acting.require_role(*allowed, act=act)
        return acting


@dataclass(frozen=True, slots=True)
class Identities:
    """Names the person on a connection. :meth:`identify` may wait for the hub, so a server calls it in a thread.

    ``roles_of`` gives the roles of an account at this moment, none where there is no such account. ``tokens`` is None
    where there is no hub.
    """

    roles_of: Callable[[str], Sequence[Role]]
    os_users: Callable[[], Mapping[int, str]]
    is_invented: Callable[[], bool]
    tokens: TokenUsers | None = None

    def identify(self, peer: PeerCredentials, authorization: str = "", by: str = "") -> SignedIn:
        """The person. ``authorization`` is the header of that name, ``by`` the value of ``--by``.

        Raises :class:`Unauthenticated` when it is not known who it is, :class:`Refused` for ``--by`` in a home that is
        not invented and for an account that does not exist, both with what to do next.
        """
        if by:
            return self._invented(by)
        if authorization:
            return self._by_token(authorization, peer.uid)
        if peer.uid not in self.os_users() and self.is_invented():
            raise Unauthenticated("identity.name-a-person")
        if peer.uid == 0:
            raise Unauthenticated("identity.root-is-no-person")
        account = self.os_users().get(peer.uid, "")
        if not account:
            raise Unauthenticated("identity.not-signed-in")
        return SignedIn(account, self._roles(account), "peer", Means.OS_USER)

    def _invented(self, by: str) -> SignedIn:
        if not self.is_invented():
            raise Refused("identity.by-in-a-real-home")
        named = Actor.parse(by)
        roles = self._roles(named.name)
        if named.role not in roles:
            raise Refused("identity.not-in-that-role", name=named.name, role=named.role)
        return SignedIn(named.name, roles, "invented", Means.INVENTED, wanted=named.role)

    def _by_token(self, authorization: str, uid: int) -> SignedIn:
        scheme, _, token = authorization.partition(" ")
        if self.tokens is None:
            raise Unauthenticated("identity.no-hub")
        if scheme.lower() not in _SCHEMES or not token.strip():
            raise Unauthenticated("identity.not-a-token")
        user = self.tokens.user_of(token.strip(), uid)
        return SignedIn(
            user.account, self._roles(user.account), user.factor, Means.TOKEN, user.signed_in_at, user.until
        )

    def _roles(self, account: str) -> tuple[Role, ...]:
        roles = tuple(self.roles_of(account))
        if not roles:
            raise Refused("identity.no-account", name=account)
        return roles
