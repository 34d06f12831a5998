"""The user's passkeys: adding one, giving it a name, removing it. Who needs a second factor keeps the last one."""

from __future__ import annotations

from datetime import UTC, datetime

from credit.errors import Refused
from credit.messages import Text
from infra.desk.factor_entries import FactorAct, FactorKind
from infra.hub.credentials.passkeys import Passkey
from infra.hub.credentials.recovery_codes import new_recovery_codes
from infra.hub.factors.page import FactorsPage
from infra.hub.sign_in.page import language_of
from lab.accounts.account import Account

ID = r"([0-9a-f]{2,2048})"  # of a passkey, in an address
LONGEST_NAME = 40


class NewPasskeyHandler(FactorsPage):
    """``/factors/passkeys``."""

    async def post(self) -> None:
        """Take a new passkey; a challenge is answered once."""
        answer = self.json_body()
        account, sign_in = await self.changing()
        step = self.step(account)
        challenge, step.challenge = step.challenge, b""
        label = f"{datetime.now(UTC):%Y-%m-%d}"
        passkey = self.lab.party.registered(answer, challenge, label) if challenge else None
        if passkey is None:
            await self.refuse(account, Text.of("second-factor.passkey-failed"))
            return
        first = not self.factors(account)
        kinds = (FactorKind.PASSKEY, FactorKind.RECOVERY_CODES) if first else (FactorKind.PASSKEY,)
        await self.record(account, FactorAct.ADDED, *kinds, sign_in=sign_in)
        try:
            self.lab.credentials.add_passkey(account, passkey)
        except Refused as error:
            self.answer(status=403, message=error.in_language(language_of(self)))
            return
        if first:
            step.codes = new_recovery_codes()
            self.lab.credentials.set_recovery_codes(account, step.codes)
        self.answer(next=self.address("/recovery-codes") if first else self.address(done="added"))


class _OwnPasskey(FactorsPage):
    async def own(self, account: Account, id: str) -> Passkey | None:
        """The passkey of this id; answers 403 for none and for another's."""
        passkey = self.lab.credentials.passkey_of(account, bytes.fromhex(id)) if len(id) % 2 == 0 else None
        if passkey is None:
            await self.refuse(account, Text.of("factors.no-such-passkey"))
        return passkey


class PasskeyNameHandler(_OwnPasskey):
    """``/factors/passkeys/<id>/name``."""

    async def post(self, id: str) -> None:
        """Give the passkey another name, which its person alone sees."""
        account, sign_in = await self.changing()
        if (passkey := await self.own(account, id)) is None:
            return
        label = shown_label(self.get_body_argument("name", ""))
        if not label:
            await self.refuse(account, Text.of("factors.name-empty"))
            return
        await self.record(account, FactorAct.RENAMED, FactorKind.PASSKEY, sign_in=sign_in)
        self.lab.credentials.rename_passkey(account, passkey.id, label)
        self.redirect(self.address(done="renamed"))


class PasskeyRemovalHandler(_OwnPasskey):
    """``/factors/passkeys/<id>/remove``."""

    async def post(self, id: str) -> None:
        """Remove the passkey, unless it is the last factor of who needs one."""
        account, sign_in = await self.changing()
        if (passkey := await self.own(account, id)) is None:
            return
        factors, required = self.factors(account), self.lab.needs_second_factor(account)
        if required and not factors.totp and len(factors.passkeys) == 1:
            await self.refuse(account, Text.of("factors.last"))
            return
        await self.record(account, FactorAct.REMOVED, FactorKind.PASSKEY, sign_in=sign_in)
        if not self.lab.credentials.remove_passkey(account, passkey.id, keep_one=required):
            await self.refuse(account, Text.of("factors.last"))  # two browsers removed one each at the same time
            return
        self.redirect(self.address(done="removed"))


def shown_label(written: str) -> str:
    """The name that a person gives a passkey: printable, and short."""
    text = "".join(letter for letter in written if letter.isprintable())
    return " ".join(text.split())[:LONGEST_NAME]
