"""The list of the user's factors, and a new password. With it every other session of the person ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

from jupyterhub.orm import new_token

from infra.desk.factor_entries import FactorAct, FactorKind
from infra.hub.credentials.store import password_hash
from infra.hub.factors.page import FactorsPage
from infra.hub.sign_in.enrolment import password_fault
from infra.hub.sign_in_handlers import end_tokens
from infra.hub.sign_ins import SignIns


class FactorsHandler(FactorsPage):
    """``/factors``: everything that the account signs in with."""

    async def get(self) -> None:
        """The list."""
        await self.show_list(self.signed_in())


class PasswordHandler(FactorsPage):
    """``/factors/password``."""

    async def post(self) -> None:
        """Take a new password."""
        account, sign_in = await self.changing()
        password, again = (self.get_body_argument(name, "", strip=False) for name in ("password", "again"))
        if (fault := password_fault(password, again)) is not None:
            await self.refuse(account, fault)
            return
        hashed = await asyncio.to_thread(password_hash, password)
        await self.record(account, FactorAct.REPLACED, FactorKind.PASSWORD, sign_in=sign_in)
        self.lab.credentials.change_password(account, hashed)
        self._end_other_sessions(account.name)
        self.redirect(self.address(done="password"))

    def _end_other_sessions(self, name: str) -> None:
        """End every session and token of the person but those of this session."""
        user, session = self.current_user, self.get_session_cookie()
        end_tokens(user, session=session)
        user.orm_user.cookie_id = new_token()
        self.db.commit()
        SignIns(Path(self.authenticator.sign_ins)).forget_others(name, session)
        self.set_hub_cookie(self.current_user)
