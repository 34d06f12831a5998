"""The addresses of the pages of factors."""

from __future__ import annotations

from typing import Any

from infra.hub.factors.entries import FactorChangeHandler
from infra.hub.factors.passkeys import ID, NewPasskeyHandler, PasskeyNameHandler, PasskeyRemovalHandler
from infra.hub.factors.password import FactorsHandler, PasswordHandler
from infra.hub.factors.recovery import RecoveryCodesHandler
from infra.hub.factors.totp import TotpHandler


def factor_handlers() -> list[tuple[str, type[Any]]]:
    """The handlers, as an authenticator's ``get_handlers`` returns them."""
    return [
        ("/factors", FactorsHandler),
        ("/factors/password", PasswordHandler),
        ("/factors/totp", TotpHandler),
        ("/factors/passkeys", NewPasskeyHandler),
        (f"/factors/passkeys/{ID}/name", PasskeyNameHandler),
        (f"/factors/passkeys/{ID}/remove", PasskeyRemovalHandler),
        ("/factors/recovery-codes", RecoveryCodesHandler),
        ("/api/factor-change", FactorChangeHandler),
    ]
