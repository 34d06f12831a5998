"""New recovery codes (恢复码) in place of all earlier ones, shown once."""

from __future__ import annotations

from credit.messages import Text
from infra.desk.factor_entries import FactorAct, FactorKind
from infra.hub.credentials.recovery_codes import new_recovery_codes
from infra.hub.factors.page import FactorsPage


class RecoveryCodesHandler(FactorsPage):
    """``/factors/recovery-codes``."""

    async def get(self) -> None:
        """The new codes; a second time the page shows none."""
        await self.show_codes(self.signed_in())

    async def post(self) -> None:
        """Make new codes; every earlier one ends."""
        account, sign_in = await self.changing()
        if not self.factors(account):
            await self.refuse(account, Text.of("factors.codes-without-factor"))
            return
        await self.record(account, FactorAct.REPLACED, FactorKind.RECOVERY_CODES, sign_in=sign_in)
        codes = new_recovery_codes()
        self.lab.credentials.set_recovery_codes(account, codes)
        self.step(account).codes = codes
        self.redirect(self.address("/recovery-codes"))
