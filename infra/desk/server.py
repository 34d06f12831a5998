"""The front desk's HTTP on a unix socket: requests, confirmations, accounts.

The person is decided again for each call, from the kernel, a token or an invented home (:mod:`infra.desk.identity`). An
error is answered with its status, its messages by id and what to do next.
"""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from credit.actor import Role
from credit.errors import CreditError, Malformed, Missing, Refused
from credit.requests.failure import failure_of
from credit.requests.flows import flow_of
from credit.requests.request import Stage
from credit.requests.request_states import RequestState
from infra.desk.account_calls import AccountCalls
from infra.desk.factor_calls import FactorCalls
from infra.desk.identity import Identities, PeerCredentials, SignedIn
from infra.desk.os_user_calls import OsUserCalls
from infra.desk.recent_sign_in import require_recent
from infra.desk.register import LARGEST, Register

PATIENCE = 8.0  # seconds that a question for a request's state waits for a change
STEP = 0.1  # seconds between two looks
BODY_SECONDS = 5.0  # in which the body of a call has to arrive
_LOGGER = logging.getLogger("haihe.desk")
Body = dict[str, Any]


@dataclass(slots=True)
class DeskServer:
    """The desk's calls. Blocking work is done in threads."""

    register: Register
    identities: Identities
    accounts: AccountCalls
    factors: FactorCalls
    os_users: OsUserCalls

    def app(self) -> web.Application:
        """The application."""
        app = web.Application(client_max_size=2 * LARGEST, middlewares=[_errors])
        app.add_routes(
            [
                web.get("/health", _health),
                web.get("/whoami", self._whoami),
                web.post("/requests", self._make),
                web.get("/requests", self._list),
                web.get("/requests/{id}", self._state),
                web.post("/requests/{id}/cancel", self._cancel),
                web.post("/requests/{id}/confirm", self._confirm),
                web.get("/accounts", self._accounts),
                web.post("/accounts/{act}", self._account),
                web.get("/os-users", self._os_users),
                web.post("/os-users/{act}", self._os_user),
                web.post("/factors", self._factors),
            ]
        )
        return app

    async def serve(self, socket: Path, *, mode: int) -> web.AppRunner:
        """Listen on ``socket``. A process that may open it still has to be a person whom the desk knows."""
        runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        socket.unlink(missing_ok=True)
        await web.UnixSite(runner, str(socket)).start()
        socket.chmod(mode)
        return runner

    async def person(self, request: web.Request) -> SignedIn:
        """The person of a call; raises as :meth:`Identities.identify`."""
        transport = request.transport
        assert transport is not None
        peer = PeerCredentials.of(transport.get_extra_info("socket"))
        named = unquote(request.headers.get("X-Acting-By", ""))
        token = request.headers.get("Authorization", "")
        return await asyncio.to_thread(self.identities.identify, peer, token, named)

    async def _whoami(self, request: web.Request) -> web.Response:
        person = await self.person(request)
        data = {"account": person.account, "roles": list(person.roles), "factor": person.factor, "how": person.means}
        moments = {"since": person.signed_in_at, "until": person.until}
        return web.json_response(data | {name: each.isoformat() if each else None for name, each in moments.items()})

    async def _make(self, request: web.Request) -> web.Response:
        person, body = await self.person(request), await _body(request)
        verb, arguments, today = str(body.get("verb", "")), body.get("arguments", {}), str(body.get("today", ""))
        flow = flow_of(verb)
        if not isinstance(arguments, dict):
            raise Malformed("server.not-a-request")
        if flow.recent:
            require_recent(person, datetime.now(UTC))
        by = person.actor(flow.roles, act=flow.act)
        day = self._day(today)
        state = await asyncio.to_thread(self.register.make, verb, arguments, by=by, factor=person.factor, today=day)
        return self._answer(state, person, status=201)

    def _day(self, text: str) -> date | None:
        """A day other than the real one counts in an invented home alone."""
        if not text:
            return None
        if not self.identities.is_invented():
            raise Refused("server.a-day-in-a-real-home")
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise Malformed("options.not-day") from error

    async def _list(self, request: web.Request) -> web.Response:
        person = await self.person(request)
        await asyncio.to_thread(self.register.catch_up)
        states = [state for state in self.register.reader.states.all() if not state.ended and _may_see(state, person)]
        return web.json_response({"requests": [self.register.describe(state) for state in states]})

    async def _state(self, request: web.Request) -> web.Response:
        person, since = await self.person(request), request.query.get("since", "")
        limit = asyncio.get_running_loop().time() + PATIENCE
        while True:
            state = await asyncio.to_thread(self.register.get, request.match_info["id"])
            if not _may_see(state, person):
                raise Missing("register.no-request", id=state.request.id[:20])
            changed = self.register.describe(state)["mark"] != since
            if changed or asyncio.get_running_loop().time() > limit:
                return self._answer(state, person)
            await asyncio.sleep(STEP)

    async def _cancel(self, request: web.Request) -> web.Response:
        person = await self.person(request)
        state = await asyncio.to_thread(self.register.get, request.match_info["id"])
        own = person.account == state.request.by.name
        by = state.request.by if own else person.actor(state.request.flow.roles, act="act.cancel-request")
        return self._answer(await asyncio.to_thread(self.register.cancel, state.request.id, by=by), person)

    async def _confirm(self, request: web.Request) -> web.Response:
        person = await self.person(request)
        state = await asyncio.to_thread(self.register.get, request.match_info["id"])
        flow = state.request.flow
        if flow.recent:
            require_recent(person, datetime.now(UTC))
        by = person.actor(flow.confirmers, act=flow.act)
        made = await asyncio.to_thread(self.register.confirm_request, state.request.id, by=by, factor=person.factor)
        return self._answer(made, person)

    async def _accounts(self, request: web.Request) -> web.Response:
        person = await self.person(request)
        person.actor((Role.PLATFORM, Role.AUDITOR), act="act.list-accounts")
        return web.json_response(await asyncio.to_thread(self.accounts.list))

    async def _account(self, request: web.Request) -> web.Response:
        act, body = request.match_info["act"], await _body(request)
        if act == "install":
            return web.json_response(await asyncio.to_thread(self.accounts.install, _peer(request), body))
        person = await self.person(request)
        require_recent(person, datetime.now(UTC))

        def change() -> dict[str, Any]:
            with self.register.unchanging():
                return self.accounts.change(act, person, body)

        return web.json_response(await asyncio.to_thread(change))

    async def _os_users(self, request: web.Request) -> web.Response:
        person = await self.person(request)
        person.actor((Role.PLATFORM, Role.AUDITOR), act="act.list-accounts")
        return web.json_response(await asyncio.to_thread(self.os_users.list))

    async def _os_user(self, request: web.Request) -> web.Response:
        person, body = await self.person(request), await _body(request)
        require_recent(person, datetime.now(UTC))

        def change() -> None:
            with self.register.unchanging():
                self.os_users.change(request.match_info["act"], person, body)

        await asyncio.to_thread(change)
        return web.json_response({})

    async def _factors(self, request: web.Request) -> web.Response:
        """Write the entry of a change of factors; the hub says which change a receipt is of."""
        receipt = str((await _body(request)).get("receipt", ""))
        await asyncio.to_thread(self.factors.record, receipt)
        return web.json_response({})

    def _answer(self, state: RequestState, person: SignedIn, *, status: int = 200) -> web.Response:
        """A state; the private result goes to the person who made the request alone."""
        own = person.account == state.request.by.name and state.stage is Stage.DONE
        private = self.register.private_result(state) if own else {}
        return web.json_response(self.register.describe(state) | {"private": private}, status=status)


def _may_see(state: RequestState, person: SignedIn) -> bool:
    """True for its maker, for a person with a role that may make or confirm such a request, and for auditors."""
    flow = state.request.flow
    concerned = {*flow.roles, *flow.confirmers, Role.AUDITOR}
    return person.account == state.request.by.name or bool(concerned & set(person.roles))


async def _health(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


def _peer(request: web.Request) -> PeerCredentials:
    assert request.transport is not None
    return PeerCredentials.of(request.transport.get_extra_info("socket"))


async def _body(request: web.Request) -> Body:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            data = json.loads(await request.read() or b"{}")
    except (ValueError, TimeoutError) as error:
        raise Malformed("server.not-a-request") from error
    if not isinstance(data, dict):
        raise Malformed("server.not-a-request")
    return data


@web.middleware
async def _errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except CreditError as error:
        return web.json_response(failure_of(error), status=error.status)
    except web.HTTPException as error:
        failure = failure_of(Malformed("server.not-a-request"))
        return web.json_response(failure, status=error.status)
    except Exception:
        _LOGGER.error("%s", traceback.format_exc())
        return web.json_response(failure_of(CreditError("server.fault")), status=500)
