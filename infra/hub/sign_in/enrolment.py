"""Enrolment (启用账户): who has a link, and the code where one is needed, chooses a password and a second factor."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

from jupyterhub import orm
from jupyterhub.orm import new_token
from tornado.web import HTTPError

from credit.errors import CreditError, Refused
from credit.messages import Text
from infra.desk.factor_entries import FactorAct, FactorKind
from infra.hub.credentials.passkeys import Passkey
from infra.hub.credentials.qr_code import qr_code
from infra.hub.credentials.recovery_codes import new_recovery_codes
from infra.hub.credentials.store import NewCredentials, password_hash
from infra.hub.credentials.totp import address_of, new_secret, step_of
from infra.hub.sign_in.page import SignInPage, language_of
from infra.hub.sign_in.pending import PendingEnrolment
from lab.accounts.account import Account, plain_code
from lab.accounts.slow_hash import matches

LINK = "key"  # the parameter of a link's address; JupyterHub writes the value of this one into no log
LEAST, MOST = 12, 256  # characters of a password
_LINK_TEXTS = {
    "title": Text.of("enrolment.title"),
    "code": Text.of("enrolment.code"),
    "code_hint": Text.of("enrolment.code-hint"),
    "password": Text.of("enrolment.password"),
    "again": Text.of("enrolment.password-again"),
    "hint": Text.of("enrolment.password-hint", minimum=LEAST),
    "submit": Text.of("enrolment.continue"),
}
_FACTOR_TEXTS = {
    "title": Text.of("enrolment.factor-title"),
    "app": Text.of("enrolment.app"),
    "app_hint": Text.of("enrolment.app-hint"),
    "secret": Text.of("enrolment.secret"),
    "code": Text.of("second-factor.code"),
    "submit": Text.of("enrolment.finish"),
    "passkey": Text.of("enrolment.passkey"),
    "passkey_hint": Text.of("enrolment.passkey-hint"),
    "make_passkey": Text.of("enrolment.make-passkey"),
    "failed": Text.of("second-factor.passkey-failed"),
    "without": Text.of("enrolment.without"),
}
_DONE_TEXTS = {
    "title": Text.of("enrolment.done-title"),
    "codes": Text.of("enrolment.recovery-codes"),
    "codes_hint": Text.of("enrolment.recovery-codes-hint"),
    "sign_in": Text.of("authenticator.sign-in"),
}


def password_fault(password: str, again: str) -> Text | None:
    """Why a new password is not taken; None when it is."""
    if password != again:
        return Text.of("enrolment.passwords-differ")
    if not LEAST <= len(password) <= MOST:
        return Text.of("enrolment.password-length", minimum=LEAST, maximum=MOST)
    return None


class EnrolmentHandler(SignInPage):
    """``/enrol``: the link, the code and the password."""

    async def get(self) -> None:
        """The page of a link; 403 for one that does not work."""
        await self._page(self.get_query_argument(LINK, "")[:64])

    async def post(self) -> None:
        """Check the code and the password, and go on to the second factor. The link stays open until that is there."""
        token = self.get_body_argument("link", "")[:64]
        account = self.lab.open_link(token)
        if account is None or account.link is None:
            self.count_failure()
            await self._page(token)
            return
        self.require_no_wait(f"link {account.name}")
        code = plain_code(self.get_body_argument("code", "")[:64])
        if account.link.code and not await asyncio.to_thread(matches, account.link.code, code):
            self.lab.credentials.count_code_try(account)
            self.count_failure(f"link {account.name}")
            await self._page(token, Text.of("enrolment.wrong-code"))
            return
        password, again = (self.get_body_argument(name, "", strip=False) for name in ("password", "again"))
        if (fault := password_fault(password, again)) is not None:
            await self._page(token, fault)
            return
        hashed = await asyncio.to_thread(password_hash, password)
        step = PendingEnrolment(account.name, account.enrolment, hashed, new_secret())
        self.lab.enrolments.begin(self, step)
        self.redirect(f"{self.hub.base_url}enrol/factor")

    async def _page(self, token: str, error: Text | None = None) -> None:
        self.require_no_wait()
        account = self.lab.open_link(token)
        if account is None or account.link is None:
            await show_closed(self)
            return
        values = {"account": account.name, "link": token, "needs_code": bool(account.link.code)}
        status, action = (403 if error else 200), f"{self.hub.base_url}enrol"
        await self.show("enrol.html", _LINK_TEXTS, status=status, error=error, action=action, **values)


class _FactorStep(SignInPage):
    """A handler of the second step of an enrolment."""

    def step(self) -> tuple[PendingEnrolment, Account] | None:
        """The enrolment under way and its account; None when there is none or its link has ended."""
        step = self.lab.enrolments.of(self)
        account = self.lab.enrolling(step) if step else None
        return (step, account) if step is not None and account is not None else None

    async def enrol(
        self,
        step: PendingEnrolment,
        account: Account,
        totp: tuple[str, int] | None = None,
        passkey: Passkey | None = None,
    ) -> str:
        """Store everything at once, end the account's sessions, and return the page that shows the recovery codes.

        The entry comes first. Raises :class:`~credit.errors.CreditError` when the front desk did not write it, and
        :class:`Refused` when the link was used meanwhile.
        """
        kinds = [FactorKind.PASSWORD] + ([FactorKind.TOTP] if totp else []) + ([FactorKind.PASSKEY] if passkey else [])
        kinds += [FactorKind.RECOVERY_CODES] if totp or passkey else []
        if not self.lab.credentials.link_is_open(account):
            raise Refused("credentials.link-used")
        await self.lab.entries.write(account, FactorAct.ENROLLED, kinds, factor="link")
        codes = new_recovery_codes() if totp or passkey else ()
        new = NewCredentials(step.password_hash, totp, passkey, codes)
        self.lab.credentials.enrol(account, new)
        self._end_sessions(account.name)
        step.codes = codes
        return f"{self.hub.base_url}enrol/done"

    def _end_sessions(self, name: str) -> None:
        user = orm.User.find(self.db, name)
        if user is not None:
            user.cookie_id = new_token()
            for token in list(user.api_tokens):
                self.db.delete(token)
            self.db.commit()


class FactorHandler(_FactorStep):
    """``/enrol/factor``."""

    async def get(self) -> None:
        """The page with the QR code."""
        await self._page()

    async def post(self) -> None:
        """Take the code that proves the secret, or go without where the account may."""
        if (begun := self.step()) is None:
            await show_closed(self)
            return
        step, account = begun
        if self.get_body_argument("without", "") == "yes" and not self.lab.needs_second_factor(account):
            await self._enrol(step, account)
            return
        self.require_no_wait(f"proof {account.name}")
        code_step = step_of(step.secret, self.get_body_argument("code", "")[:64], time.time())
        if code_step is None:
            self.count_failure(f"proof {account.name}")
            await self._page(Text.of("second-factor.wrong-code"))
            return
        await self._enrol(step, account, (step.secret, code_step))

    async def _enrol(self, step: PendingEnrolment, account: Account, totp: tuple[str, int] | None = None) -> None:
        try:
            self.redirect(await self.enrol(step, account, totp))
        except Refused:
            await show_closed(self)
        except CreditError as error:
            await self._page(Text.verbatim(error.in_language(language_of(self))))

    async def _page(self, error: Text | None = None) -> None:
        if (begun := self.step()) is None:
            await show_closed(self)
            return
        step, account = begun
        options, step.challenge = self.lab.party.registration(account.name)
        values: dict[str, Any] = {
            "account": account.name,
            "secret": " ".join(step.secret[at : at + 4] for at in range(0, len(step.secret), 4)),
            "drawing": qr_code(address_of(step.secret, account.name)),
            "options": options,
            "may_go_without": not self.lab.needs_second_factor(account),
            "action": f"{self.hub.base_url}enrol/factor",
            "passkey_action": f"{self.hub.base_url}enrol/passkey",
        }
        await self.show("enrol_factor.html", _FACTOR_TEXTS, status=403 if error else 200, error=error, **values)


class EnrolPasskeyHandler(_FactorStep):
    """``/enrol/passkey``."""

    async def post(self) -> None:
        """Take a new passkey as the second factor; a challenge is answered once."""
        answer = self.json_body()
        if (begun := self.step()) is None:
            raise HTTPError(403)
        step, account = begun
        challenge, step.challenge = step.challenge, b""
        label = f"{datetime.now(UTC):%Y-%m-%d}"
        passkey = self.lab.party.registered(answer, challenge, label) if challenge else None
        try:
            if passkey is not None:
                self.answer(next=await self.enrol(step, account, passkey=passkey))
                return
        except CreditError as error:
            self.answer(status=403, message=error.in_language(language_of(self)))
            return
        self.answer(status=403, message=Text.of("second-factor.passkey-failed").render(language_of(self)))


class EnrolledHandler(SignInPage):
    """``/enrol/done``: the recovery codes, shown this once."""

    async def get(self) -> None:
        """The page; a second time it shows no codes."""
        step = self.lab.enrolments.of(self)
        self.lab.enrolments.end(self)
        login = f"{self.hub.base_url}login"
        await self.show("enrol_done.html", _DONE_TEXTS, codes=step.codes if step else (), login=login)


async def show_closed(handler: SignInPage) -> None:
    """Answer that the link does not work, without saying why: a guess learns nothing."""
    texts = {"title": Text.of("enrolment.closed-title"), "hint": Text.of("enrolment.closed-hint")}
    await handler.show("enrol_closed.html", texts, status=403)
