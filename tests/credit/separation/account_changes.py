"""The history of invented accounts, which a test changes as it goes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from credit.actor import Role
from credit.separation.account_history import RoleChanges

BEFORE = datetime(2020, 1, 1, tzinfo=UTC)


class AccountsSince:
    """Accounts that begin long before every test, each with one role; :meth:`change` adds to their history."""

    def __init__(self, roles: Mapping[str, Role]) -> None:
        self._changes: dict[str, list[tuple[datetime, tuple[Role, ...]]]] = {
            name: [(BEFORE, (role,))] for name, role in roles.items()
        }

    def history(self, name: str) -> RoleChanges:
        return tuple(self._changes.get(name, ()))

    def change(self, name: str, *roles: Role, at: datetime | None = None) -> None:
        self._changes.setdefault(name, []).append((at or datetime.now(UTC), roles))
