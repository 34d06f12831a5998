"""What every page of factors does: the person of the browser's session, and whether they signed in recently.

A token is no person here: a program that has one could otherwise give itself a factor. Where the account has a second
factor, a sign-in without it is not enough. A recovery code is: who lost a telephone adds the next one with it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from tornado.web import Finish, HTTPError

from credit.errors import CreditError
from credit.messages import Text
from infra.desk.factor_entries import FactorAct, FactorKind
from infra.desk.recent_sign_in import RECENT, SECOND_FACTORS, SKEW
from infra.hub.credentials.store import SecondFactors
from infra.hub.factors.pending import PendingFactors
from infra.hub.factors.texts import CODES, DONE, LIST, SIGN_IN_AGAIN
from infra.hub.sign_in.page import SignInPage, language_of
from infra.hub.sign_ins import SignIn, SignIns
from lab.accounts.account import Account

STRONG = SECOND_FACTORS | {"recovery"}


class FactorsPage(SignInPage):
    """A page for the person who is signed in."""

    _step: PendingFactors | None = None  # of this request: a cookie that was just set is not in it

    def signed_in(self) -> Account:
        """The account of this browser's session; leads to the login page without one."""
        if self.get_auth_token():
            raise HTTPError(403)
        user = self.current_user
        account = self.lab.signed_in_account(user.name) if user is not None else None
        if account is None:
            self.redirect(f"{self.hub.base_url}login?{urlencode({'next': self.address()})}")
            raise Finish
        return account

    async def changing(self) -> tuple[Account, SignIn]:
        """The account and its recent sign-in; without one the page says what to do, and nothing changes."""
        account = self.signed_in()
        sign_in = self.recent(account)
        if sign_in is None:
            await self.refuse(account, SIGN_IN_AGAIN)
            raise Finish
        return account, sign_in

    def recent(self, account: Account) -> SignIn | None:
        """The sign-in of this session, if it was one of the last five minutes with as much as the account has."""
        sign_in = SignIns(Path(self.authenticator.sign_ins)).of(account.name, self.get_session_cookie())
        if sign_in is None or not -SKEW <= datetime.now(UTC) - sign_in.at <= RECENT:
            return None
        return sign_in if sign_in.factor in STRONG or not self.factors(account) else None

    def factors(self, account: Account) -> SecondFactors:
        """The second factors that the account has."""
        return self.lab.credentials.second_factors(account)

    async def record(self, account: Account, act: FactorAct, *kinds: FactorKind, sign_in: SignIn) -> None:
        """Have the entry of a change written; where the desk does not, the page says why, and nothing changes."""
        try:
            await self.lab.entries.write(account, act, kinds, factor=sign_in.factor)
        except CreditError as error:
            await self.refuse(account, error)
            raise Finish from error

    async def refuse(self, account: Account, why: Text | CreditError) -> None:
        """Answer 403 with the reason: to a program as JSON, to a form with the list."""
        language = language_of(self)
        message = why.render(language) if isinstance(why, Text) else why.in_language(language)
        if self.request.headers.get("Content-Type", "").startswith("application/json"):
            self.answer(status=403, message=message)
            return
        await self.show_list(account, status=403, error=Text.verbatim(message))

    async def show_list(self, account: Account, *, status: int = 200, error: Text | None = None) -> None:
        """The page with everything that the account signs in with."""
        factors, sign_in = self.factors(account), self.recent(account)
        step, options = self.step(account), None
        if sign_in is not None:
            known = [each.id for each in factors.passkeys]
            options, step.challenge = self.lab.party.registration(account.name, known)
        done = DONE.get(self.get_query_argument("done", ""))
        required = self.lab.needs_second_factor(account)
        await self.show(
            "factors.html",
            LIST,
            status=status,
            error=error,
            account=account.name,
            factors=factors,
            passkeys=[(each.id.hex(), each.label) for each in factors.passkeys],
            last=required and not factors.totp and len(factors.passkeys) == 1,
            required=required,
            options=options,
            done=done.render(language_of(self)) if done and not error else "",
            left=Text.of("factors.codes-left", n=factors.recovery_codes).render(language_of(self)),
            root=self.address(),
            again=f"{self.hub.base_url}login-again?{urlencode({'next': self.address()})}",
            passkey_action=self.address("/passkeys"),
        )

    async def show_codes(self, account: Account) -> None:
        """The page that shows new recovery codes, once."""
        step = self.step(account)
        codes, step.codes = step.codes, ()
        await self.show("factors_codes.html", CODES, codes=codes, back=self.address())

    def step(self, account: Account) -> PendingFactors:
        """What this browser is in the middle of; begun again where it was nothing, or of an earlier enrolment."""
        step = self._step or self.lab.factors.of(self)
        if step is None or (step.name, step.enrolment) != (account.name, account.enrolment):
            step = PendingFactors(account.name, account.enrolment)
            self.lab.factors.begin(self, step)
        self._step = step
        return step

    def address(self, path: str = "", **query: str) -> str:
        """A page of factors."""
        return f"{self.hub.base_url}factors{path}" + (f"?{urlencode(query)}" if query else "")
