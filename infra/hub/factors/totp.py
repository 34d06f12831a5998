"""A new secret for the authenticator program (动态口令), in place of the one before; proved by a code of it."""

from __future__ import annotations

import time

from tornado.web import Finish

from credit.messages import Text
from infra.desk.factor_entries import FactorAct, FactorKind
from infra.hub.credentials.qr_code import qr_code
from infra.hub.credentials.recovery_codes import new_recovery_codes
from infra.hub.credentials.totp import address_of, new_secret, step_of
from infra.hub.factors.page import FactorsPage
from infra.hub.factors.texts import TOTP
from lab.accounts.account import Account


class TotpHandler(FactorsPage):
    """``/factors/totp``."""

    async def get(self) -> None:
        """The page with the QR code of a new secret."""
        account, _ = await self.changing()
        self.step(account).secret = new_secret()
        await self._page(account)

    async def post(self) -> None:
        """Take the code that proves the new secret; until then the secret before it stays."""
        account, sign_in = await self.changing()
        step = self.step(account)
        self.require_no_wait(f"proof {account.name}")
        code_step = step_of(step.secret, self.get_body_argument("code", "")[:64], time.time()) if step.secret else None
        if code_step is None:
            self.count_failure(f"proof {account.name}")
            step.secret = step.secret or new_secret()
            await self._page(account, Text.of("second-factor.wrong-code"))
            return
        before = self.factors(account)
        codes = () if before else new_recovery_codes()
        kinds = (FactorKind.TOTP, FactorKind.RECOVERY_CODES) if codes else (FactorKind.TOTP,)
        act = FactorAct.REPLACED if before.totp else FactorAct.ADDED
        await self.record(account, act, *kinds, sign_in=sign_in)
        self.lab.credentials.set_totp(account, step.secret, code_step)
        step.secret = ""
        if codes:
            self.lab.credentials.set_recovery_codes(account, codes)
            step.codes = codes
            self.redirect(self.address("/recovery-codes"))
            raise Finish
        self.redirect(self.address(done="totp"))

    async def _page(self, account: Account, error: Text | None = None) -> None:
        secret = self.step(account).secret
        await self.show(
            "factors_totp.html",
            TOTP,
            status=403 if error else 200,
            error=error,
            account=account.name,
            secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
            drawing=qr_code(address_of(secret, account.name)),
            action=self.address("/totp"),
            back=self.address(),
        )
