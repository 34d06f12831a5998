"""``python -m infra.desk``: the front desk, with the settings ``HAIHE_DESK_…``. It ends at SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping

from credit.actor import Role
from credit.errors import CreditError
from credit.keys import KeyRing
from credit.ledger import Ledger
from credit.requests.state_reader import ledger_path
from credit.settings import read
from infra.desk.account_calls import AccountCalls
from infra.desk.factor_calls import FactorCalls
from infra.desk.hub_tokens import HubTokens
from infra.desk.identity import Identities
from infra.desk.invented_home import InventedHome
from infra.desk.os_user_calls import OsUserCalls
from infra.desk.os_users import OsUsers
from infra.desk.register import Register
from infra.desk.server import DeskServer
from infra.desk.settings import DeskSettings
from lab.accounts.account import Account
from lab.accounts.account_changes import AccountChanges
from lab.accounts.accounts import Accounts

FORGET_SECONDS = 5.0


def open_desk(settings: DeskSettings) -> DeskServer:
    """The desk of these settings."""
    ring = KeyRing.load(settings.ring)
    reading = Ledger(ledger_path(settings.ledgers, "desk"), None, ring, "desk")
    accounts = Accounts.cached(reading)

    def roles_of(name: str) -> tuple[Role, ...]:
        return roles_in(accounts.all())(name)

    register = Register.open(settings, roles_of)
    invented = InventedHome.of(reading, Ledger(settings.ledgers / "custody.jsonl", None, ring, "custody"))
    users = OsUsers(reading)
    identities = Identities(
        roles_of=roles_of,
        os_users=users.all,
        is_invented=invented.is_invented,
        tokens=HubTokens(settings.hub) if settings.hub else None,
    )
    changes = AccountChanges(register.ledger, also=lambda after: register.endings(roles_in(after)))
    return DeskServer(
        register,
        identities,
        AccountCalls(accounts, changes),
        FactorCalls(register.ledger, accounts, settings.hub),
        OsUserCalls(OsUsers(register.ledger), accounts),
    )


def roles_in(accounts: Mapping[str, Account]) -> Callable[[str], tuple[Role, ...]]:
    """The roles of a name among these accounts; none for a name without an account."""
    return lambda name: accounts[name].roles if name in accounts else ()


async def forget_ended(desk: DeskServer) -> None:
    """Every few seconds, remove the private arguments of the requests that have ended, and store the states."""
    while True:
        try:
            await asyncio.to_thread(desk.register.forget_ended)
            await asyncio.to_thread(desk.register.reader.store)
        except (CreditError, OSError) as error:
            logging.getLogger("haihe.desk").error("%s", error)
        await asyncio.sleep(FORGET_SECONDS)


async def serve(settings: DeskSettings) -> None:
    """Serve until a signal ends it."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    desk = open_desk(settings)
    forgetting = asyncio.create_task(forget_ended(desk))
    runner = await desk.serve(settings.socket, mode=0o666 if settings.shared else 0o600)
    try:
        await ended.wait()
    finally:
        forgetting.cancel()
        await runner.cleanup()
        settings.socket.unlink(missing_ok=True)


def main() -> int:
    """Run the desk; the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    os.umask(0o027)  # the agents, of the same group, read what it writes
    try:
        asyncio.run(serve(read(DeskSettings, os.environ, "HAIHE_DESK_")))
    except CreditError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
