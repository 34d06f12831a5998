"""A thousand conversations over HTTP, with the service itself and through its proxy: each answer goes to its caller."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from serving_conversations import Banks, Outcome, converse
from serving_service_process import free_port, serving
from serving_world import codes

from infra.proxy.running import proxy
from infra.proxy.settings import ProxySettings
from serving.auth.access_database import AccessDatabase
from serving.auth.clients import RateLimit

pytestmark = [pytest.mark.servers, pytest.mark.attack]
CODE, EACH = codes("enterprise", 1)[0], 500
FUZZ_SECONDS = float(os.environ.get("HAIHE_FUZZ_SECONDS", "0"))  # of `make fuzz`: new conversations every time


@pytest.fixture
def banks(world: Any, template: Any) -> Banks:
    access = AccessDatabase(world.root / "access.db")
    for bank in ("bohai", "jincheng"):
        access.set_limit(bank, RateLimit(1e6, 1e6))
    access.close()
    from credit.keys import KeyRing
    from serving.auth.tokens import Tokens

    opened = AccessDatabase(world.root / "access.db")
    tokens = Tokens(world.key("service"), opened, KeyRing.load(world.root / "ring"))
    signed = {}
    for bank in ("bohai", "jincheng"):
        client = opened.client(bank)
        assert client is not None
        signed[bank] = tokens.sign(client, "score")
    opened.close()
    mandates = {bank: world.grant(bank, CODE).id for bank in signed}
    return Banks(signed, mandates, CODE, world.grant("jincheng", CODE).id)


@pytest.fixture(params=["direct", "proxied"])
def port(request: pytest.FixtureRequest, world: Any, banks: Banks, tmp_path: Path) -> Iterator[int]:
    with ExitStack() as stack:
        if request.param == "direct":
            number = free_port()
            stack.enter_context(serving(world, number))
            yield number
            return
        own, number = free_port(), free_port()
        more = {"HAIHE_SERVICE_PROXIES": "127.0.0.1", "HAIHE_SERVICE_ISSUER": f"http://127.0.0.1:{number}"}
        stack.enter_context(serving(world, own, **more))
        stack.enter_context(proxy(ProxySettings("x", f"127.0.0.1:{number}", f"127.0.0.1:{own}", tmp_path / "proxy")))
        yield number


def test_every_answer_goes_to_its_caller_and_no_body_is_read_as_a_request(port: int, banks: Banks, world: Any) -> None:
    outcome = Outcome()
    if FUZZ_SECONDS:
        end, seed = time.monotonic() + FUZZ_SECONDS / 2, time.time_ns()
        while time.monotonic() < end:
            seed += 1
            converse(seed, banks, port, outcome)
    else:
        for seed in range(EACH):
            converse(seed, banks, port, outcome)
    print(f"conversations {outcome.conversations} wrong {len(outcome.wrong)} killed {len(outcome.killed)}")
    assert outcome.wrong == []
    assert outcome.killed == []
    entries = [entry for entry in world.ledger.entries() if entry.verb == "score.answered"]
    by_name = {entry.object: entry.by.name for entry in entries}
    assert len(outcome.answered) > outcome.conversations / 2
    assert {name: by_name.get(name) for name in outcome.answered} == outcome.answered
    assert banks.smuggled not in {entry.details["mandate"] for entry in entries}
