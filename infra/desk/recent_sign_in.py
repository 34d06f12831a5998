"""A recent sign-in (近期登录): some acts need one of the last five minutes, with a second factor."""

from __future__ import annotations

from datetime import datetime, timedelta

from credit.errors import Unauthenticated
from infra.desk.identity import Means, SignedIn

RECENT = timedelta(minutes=5)
SKEW = timedelta(seconds=5)  # by how much the clocks of hub and desk may differ
SECOND_FACTORS = frozenset({"totp", "passkey", "oidc"})  # a recovery code is for enrolling again, not for acting


class RecentSignInNeeded(Unauthenticated):
    """The person has to sign in again with their second factor (HTTP 401). The console leads them there."""

    slug = "recent-sign-in-needed"


def require_recent(signed_in: SignedIn, now: datetime) -> None:
    """Raise :class:`RecentSignInNeeded` unless the person signed in with a second factor in the last five minutes.

    In an invented home ``--by`` suffices; the entry then says ``invented``. A sign-in of the future is none: a clock
    that was set back would make it recent for as long as it pleases.
    """
    if signed_in.means is Means.INVENTED:
        return
    if signed_in.factor not in SECOND_FACTORS:
        raise RecentSignInNeeded("recent-sign-in.without-second-factor")
    if signed_in.signed_in_at is None or not -SKEW <= now - signed_in.signed_in_at <= RECENT:
        raise RecentSignInNeeded("recent-sign-in.too-long-ago", minutes=RECENT.seconds // 60)
