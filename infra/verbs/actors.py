"""Who acts when ``--by`` is not given, and the check of a role before any work is done."""

from __future__ import annotations

from credit.actor import Actor, Role

ALICE, BOB = Actor("alice", Role.RESEARCHER), Actor("bob", Role.PLATFORM)
REGISTRY = Actor("registry", Role.CITY)
CUSTODIAN = Actor("custodian", Role.PLATFORM)
AUTHORISATION_OFFICER = Actor("authorisation-desk", Role.PLATFORM)
RETENTION_OFFICER = Actor("keeper", Role.PLATFORM)


def acting(by: Actor | None, default: Actor, *roles: Role, act: str) -> Actor:
    """The actor of ``--by``, or the default one.

    Raises :class:`~credit.errors.Refused` unless the actor has one of ``roles``. A verb calls this first, so that a
    wrong role is refused before a server is started or a file is read.
    """
    actor = by or default
    actor.require_role(*roles, act=act)
    return actor
