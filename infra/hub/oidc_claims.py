"""What an identity provider says of a sign-in (OpenID Connect Core §2), checked: who, when, by which factor, in which
groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from credit.actor import Role
from credit.errors import Refused

SECOND_FACTORS = frozenset({"mfa", "otp", "hwk", "sc"})  # RFC 8176: several factors, a code, a key, a smart card
LATEST = 2**33  # seconds: beyond it is no moment of ours
ALWAYS_TWO = frozenset({Role.PLATFORM, Role.REVIEWER})  # roles of which no one signs in with one factor


@dataclass(frozen=True, slots=True)
class OidcSignIn:
    """A sign-in at an identity provider."""

    name: str
    at: datetime
    has_second_factor: bool
    groups: frozenset[str]

    @classmethod
    def of(cls, claims: Mapping[str, Any], *, name_claim: str, groups_claim: str) -> OidcSignIn:
        """The sign-in in the claims of a verified ID token.

        Raises :class:`Refused` where the token does not say who signed in or when (``auth_time``, which a provider must
        give as we ask for ``max_age``). Without ``amr`` it was one factor, without groups it is none.
        """
        name, moment = claims.get(name_claim), claims.get("auth_time")
        if not isinstance(name, str) or not name or type(moment) is not int or not 0 < moment < LATEST:
            raise Refused("oidc-claims.who-or-when-is-missing", claim=name_claim)
        factors, groups = _texts(claims.get("amr")), _texts(claims.get(groups_claim))
        return cls(name, datetime.fromtimestamp(moment, UTC), bool(SECOND_FACTORS & factors), groups)

    @property
    def factor(self) -> str:
        """How the ledger calls it: ``oidc`` with a second factor; without one it is no more than a password."""
        return "oidc" if self.has_second_factor else "password"

    def require(self, roles: Sequence[Role], *, group_prefix: str) -> None:
        """Raise :class:`Refused` unless this person may sign in with the roles that their account has.

        The account must exist, the provider must name a group for each of its roles, and reviewers and the platform
        team need a second factor.
        """
        if not roles:
            raise Refused("oidc-claims.no-account")
        missing = sorted(role for role in roles if f"{group_prefix}{role}" not in self.groups)
        if missing:
            raise Refused("oidc-claims.not-in-the-group", roles=", ".join(missing))
        if ALWAYS_TWO & set(roles) and not self.has_second_factor:
            raise Refused("oidc-claims.second-factor-needed")


def _texts(value: Any) -> frozenset[str]:
    """The texts of a list; none for anything else."""
    return frozenset(each for each in value if isinstance(each, str)) if isinstance(value, list) else frozenset()
