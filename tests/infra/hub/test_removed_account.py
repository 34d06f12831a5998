"""A person whose account is removed while the command line holds their token is no one from that moment on."""

from __future__ import annotations

import time

import pytest

from credit.errors import CreditError, Refused, Unauthenticated
from credit.requests.desk_client import DeskClient
from infra.desk import running
from tests.infra.running_hub import RunningHub

pytestmark = [pytest.mark.servers, pytest.mark.attack]


def test_a_live_token_of_the_command_line_ends_with_its_account(running_hub: RunningHub) -> None:
    """At the desk at once, whatever it remembers of the token; at the hub within a minute."""
    lin, petra = running_hub.token("lin"), running_hub.token("petra")
    with running.desk(running_hub.home, {"HAIHE_DESK_HUB": running_hub.socket_api}) as socket:
        desk = DeskClient(socket, token=lin)
        assert desk.call("GET", "/whoami")["account"] == "lin"
        DeskClient(socket, token=petra).call("POST", "/accounts/remove", {"account": "lin"})
        for method, path in (("GET", "/whoami"), ("GET", "/requests"), ("POST", "/requests")):
            with pytest.raises((Refused, Unauthenticated)):
                desk.call(method, path, {"verb": "train", "arguments": {}} if method == "POST" else None)
    assert not [entry for entry in running_hub.home.ledger("desk").entries() if entry.by.name == "lin"]
    limit = time.monotonic() + 60
    while running_hub.call("sign-in", lin).status_code != 403:
        assert time.monotonic() < limit
        time.sleep(0.2)
    with pytest.raises((AssertionError, CreditError)):
        running_hub.token("lin")
