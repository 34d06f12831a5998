"""A service killed in the middle of its work loses no entry of an answer that a client received, and continues."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import Any

import httpx
import pytest
from serving_service_process import free_port, serving
from serving_world import PURPOSE, codes

pytestmark = pytest.mark.servers
KILLS, CALLERS = 3, 6


def test_killed_under_load_every_answer_that_left_is_in_the_ledger(world: Any, template: Any) -> None:
    subjects, port = codes("enterprise", CALLERS), free_port()
    mandates = [world.grant("bohai", code).id for code in subjects]
    answered: list[tuple[str, str, int]] = []
    for _ in range(KILLS):
        with serving(world, port) as (url, _, process):
            form, auth = {"grant_type": "client_credentials"}, ("bohai", template[1]["bohai"])
            token = httpx.post(f"{url}/oauth2/token", data=form, auth=auth).json()["access_token"]
            enough, wanted = threading.Event(), len(answered) + 60

            def post_scores(
                number: int, url: str = url, token: str = token, enough: Any = enough, wanted: int = wanted
            ) -> None:
                body = {"uscc": subjects[number], "purpose": PURPOSE, "mandate": mandates[number]}
                headers = {"Authorization": f"Bearer {token}"}
                with httpx.Client(base_url=url, headers=headers) as http, contextlib.suppress(httpx.HTTPError):
                    while True:
                        response = http.post("/v1/scores", json=body)
                        assert response.status_code == 200, response.text
                        receipt = response.json()["receipt"]
                        answered.append((response.json()["score_id"], receipt["entry"], receipt["seq"]))
                        if len(answered) > wanted:
                            enough.set()

            callers = [threading.Thread(target=post_scores, args=(number,)) for number in range(CALLERS)]
            for caller in callers:
                caller.start()
            assert enough.wait(30)
            process.send_signal(signal.SIGKILL)
            for caller in callers:
                caller.join(30)
    with serving(world, port):
        pass  # the next process repairs what the last one left
    entries = {entry.object: (entry.id, entry.seq) for entry in world.ledger.verified()}
    assert len(answered) > KILLS * 60
    assert [entries.get(name) for name, _, _ in answered] == [(entry, seq) for _, entry, seq in answered]
