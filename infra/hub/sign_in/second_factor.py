"""The second step of signing in: a code of an authenticator program, a passkey, or a recovery code."""

from __future__ import annotations

import time
from urllib.parse import urlencode

from tornado.web import HTTPError

from credit.messages import Text
from infra.hub.credentials.passkeys import id_of
from infra.hub.credentials.recovery_codes import is_recovery_code
from infra.hub.sign_in.page import SignInPage, language_of
from infra.hub.sign_in.pending import PendingSignIn
from lab.accounts.account import Account

MOST_TRIES = 5  # wrong codes, after which the sign-in begins again with the password
_TEXTS = {
    "title": Text.of("second-factor.title"),
    "code": Text.of("second-factor.code"),
    "hint": Text.of("second-factor.hint"),
    "recovery_hint": Text.of("second-factor.recovery-hint"),
    "submit": Text.of("authenticator.sign-in"),
    "passkey": Text.of("second-factor.passkey"),
    "failed": Text.of("second-factor.passkey-failed"),
    "back": Text.of("second-factor.back"),
}


class _SecondFactorStep(SignInPage):
    """A handler of the second step."""

    def step(self) -> tuple[PendingSignIn, Account] | None:
        """The sign-in under way and its account; None when there is none, or the account was changed meanwhile."""
        step = self.lab.sign_ins.of(self)
        account = self.lab.account_of(step.name, step.enrolment) if step else None
        return (step, account) if step is not None and account is not None else None

    def failed(self, step: PendingSignIn) -> None:
        """Count a wrong factor; after :data:`MOST_TRIES` the sign-in is over."""
        self.count_failure(f"second {step.name}")
        step.tries += 1
        if step.tries >= MOST_TRIES:
            self.lab.sign_ins.end(self)

    async def finish_sign_in(self, account: Account, factor: str) -> str:
        """Log the person in and forget the step; returns the page to go to."""
        self.lab.throttle.passed(f"second {account.name}")
        self.lab.sign_ins.end(self)
        return await self.sign_in(account, factor)

    def to_login(self) -> str:
        """The address of the first step."""
        return f"{self.hub.base_url}login?{urlencode({'next': self.get_argument('next', '')})}"


class SecondFactorHandler(_SecondFactorStep):
    """``/second-factor``."""

    async def get(self) -> None:
        """The page."""
        await self._page()

    async def post(self) -> None:
        """Check a code."""
        if (begun := self.step()) is None:
            self.redirect(self.to_login())
            return
        step, account = begun
        self.require_no_wait(f"second {step.name}")
        code, credentials = self.get_body_argument("code", "")[:64], self.lab.credentials
        if is_recovery_code(code):
            factor = "recovery" if credentials.accepts_recovery_code(account, code) else ""
        else:
            factor = "totp" if credentials.accepts_totp(account, code, time.time()) else ""
        if not factor:
            self.failed(step)
            await self._page(status=403, error=Text.of("second-factor.wrong-code"))
            return
        self.redirect(await self.finish_sign_in(account, factor))

    async def _page(self, status: int = 200, error: Text | None = None) -> None:
        if (begun := self.step()) is None:
            self.redirect(self.to_login())
            return
        step, account = begun
        factors, options = self.lab.credentials.second_factors(account), None
        if factors.passkeys:
            options, step.challenge = self.lab.party.request([each.id for each in factors.passkeys])
        query = urlencode({"next": self.get_argument("next", "")})
        await self.show(
            "second_factor.html",
            _TEXTS,
            status=status,
            error=error,
            totp=factors.totp,
            options=options,
            action=f"{self.hub.base_url}second-factor?{query}",
            passkey_action=f"{self.hub.base_url}second-factor/passkey?{query}",
            back=self.to_login(),
        )


class PasskeyHandler(_SecondFactorStep):
    """``/second-factor/passkey``."""

    async def post(self) -> None:
        """Check what an authenticator signed; a challenge is answered once."""
        answer = self.json_body()
        if (begun := self.step()) is None:
            raise HTTPError(403)
        step, account = begun
        self.require_no_wait(f"second {step.name}")
        challenge, step.challenge = step.challenge, b""
        passkey = self.lab.credentials.passkey_of(account, id_of(answer))
        count = self.lab.party.used(answer, challenge, passkey) if passkey and challenge else None
        if passkey is None or count is None:
            self.failed(step)
            message = Text.of("second-factor.passkey-failed").render(language_of(self))
            self.answer(status=403, message=message)
            return
        self.lab.credentials.count_passkey_use(account, passkey.id, count)
        self.answer(next=await self.finish_sign_in(account, "passkey"))
