"""The policy of accounts (账户政策), read from ``policy.yaml``: stricter than the rules here or equal, never weaker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from credit.actor import Role
from credit.confirmation import ConfirmationRule
from credit.errors import Malformed

DEFAULT = Path(__file__).parent / "policy.yaml"
TWO_PEOPLE = frozenset({Role.REVIEWER, Role.PLATFORM})  # at least these
APART = frozenset({Role.RESEARCHER, Role.REVIEWER, Role.PLATFORM})  # at least these exclude each other
LEAST_PLATFORM = 2  # people of the platform: one alone could change no account that judges
LONGEST_LINK = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class AccountPolicy:
    """Raises :class:`Malformed` for a policy that is weaker than the rules of the house."""

    two_people: frozenset[Role]
    second_factor: frozenset[Role]
    apart: tuple[frozenset[Role], ...]
    request_lasts: timedelta
    link_lasts: timedelta

    def __post_init__(self) -> None:
        together = any(group >= APART for group in self.apart)
        if not (self.two_people >= TWO_PEOPLE and self.second_factor >= TWO_PEOPLE and together):
            raise Malformed("account-policy.weaker")
        if not (timedelta(0) < self.link_lasts <= LONGEST_LINK and timedelta(hours=1) <= self.request_lasts):
            raise Malformed("account-policy.weaker")

    @classmethod
    def read(cls, path: Path = DEFAULT) -> AccountPolicy:
        """The policy in a file; raises :class:`Malformed`."""
        try:
            data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
            return cls(
                frozenset(map(Role, data["two_people"])),
                frozenset(map(Role, data["second_factor"])),
                tuple(frozenset(map(Role, group)) for group in data["apart"]),
                timedelta(hours=float(data["request_hours"])),
                timedelta(hours=float(data["link_hours"])),
            )
        except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
            raise Malformed("account-policy.cannot-be-read", name=path.name) from error

    def people(self, roles: Iterable[Role]) -> int:
        """How many people an act on an account takes that holds or receives ``roles``."""
        return 2 if self.two_people & set(roles) else 1

    def rule(self, roles: Iterable[Role]) -> ConfirmationRule:
        """Who requests and who confirms an act on an account that holds or receives ``roles``."""
        platform = frozenset({Role.PLATFORM})
        return ConfirmationRule(platform, platform, self.people(roles), self.request_lasts)

    def needs_second_factor(self, roles: Iterable[Role]) -> bool:
        """True when an account with ``roles`` signs in with a second factor alone."""
        return bool(self.second_factor & set(roles))

    def require_apart(self, roles: Iterable[Role]) -> None:
        """Raise :class:`Malformed` when one account may not hold all of ``roles``."""
        for group in self.apart:
            both = sorted(group & set(roles))
            if len(both) > 1:
                raise Malformed("accounts.roles-apart", roles=", ".join(both))


@cache
def default_policy() -> AccountPolicy:
    """The policy that the house ships."""
    return AccountPolicy.read()
