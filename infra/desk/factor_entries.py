"""What people sign in with, in the desk's ledger (凭据沿革): who enrolled, added, replaced or removed which factor.

::

    factor.enrolled   user-…  {factors, factor, enrolment}   by the link that the account was issued
    factor.added      user-…  {factors, factor}
    factor.replaced   user-…  {factors, factor}
    factor.renamed    user-…  {factors, factor}
    factor.removed    user-…  {factors, factor}

``factors`` are the kinds that the act is about, ``factor`` is how the person had signed in for it. No entry holds a
secret, a public key or a name that someone gave a passkey. The hub keeps the credentials and has no key; the desk
writes the entry before the hub makes the change, so no factor changes without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from credit.actor import Actor
from credit.errors import Malformed, Refused
from credit.ledger import Ledger
from lab.accounts.account_state import OBJECT
from lab.accounts.accounts import Accounts


class FactorKind(StrEnum):
    """What a person signs in with."""

    PASSWORD = "password"
    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY_CODES = "recovery-codes"


class FactorAct(StrEnum):
    """What a person did with a factor: the part of the verb after the dot."""

    ENROLLED = "enrolled"
    ADDED = "added"
    REPLACED = "replaced"
    RENAMED = "renamed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class FactorChange:
    """One change of a user's factors. ``enrolment`` is the one of the account in which it is made."""

    account: str
    enrolment: str
    act: FactorAct
    factors: tuple[FactorKind, ...]
    factor: str  # how the person signed in: totp, passkey, recovery, password; link for an enrolment

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> FactorChange:
        """Read what :meth:`as_json` wrote; raises :class:`Malformed`."""
        try:
            factors = tuple(map(FactorKind, data["factors"]))
            texts = [str(data[name]) for name in ("account", "enrolment", "factor")]
            act = FactorAct(data["act"])
        except (KeyError, TypeError, ValueError) as error:
            raise Malformed("factor-entries.unreadable") from error
        if not factors:
            raise Malformed("factor-entries.unreadable")
        return cls(texts[0], texts[1], act, factors, texts[2])

    def as_json(self) -> dict[str, Any]:
        """The change as plain values."""
        return asdict(self)


def record_factors(ledger: Ledger, accounts: Accounts, change: FactorChange) -> None:
    """Write the entry of a change, by the account's person.

    Raises :class:`Refused` for an account that was removed, or reset since.
    """
    account = accounts.all().get(change.account)
    if account is None or account.enrolment != change.enrolment:
        raise Refused("factor-entries.not-this-enrolment")
    details: dict[str, Any] = {"factors": change.factors, "factor": change.factor}
    if change.act is FactorAct.ENROLLED:
        details["enrolment"] = change.enrolment
    by = Actor(account.name, account.roles[0])
    ledger.append(f"factor.{change.act}", f"{OBJECT}{account.name}", by=by, details=details)
