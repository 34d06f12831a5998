"""Every route of the service for everyone who may not receive market data, before and after the scores have changed.

Scores are made from market data. If all answers to a recipient are the same with one model's scores and with another's,
nothing of the market reaches it on these routes, whatever the code between them does.
"""

from __future__ import annotations

import json
import re
from typing import Any

from serving_credit_files import FIRM, OTHER, SHOP
from serving_post_requests import post_requests
from serving_world import PURPOSE

from serving.auth.clients import RateLimit

CHANGING = re.compile(r"(_id|_at|^id|^salt|^receipt|^number|^check|^entry|^seq|^iat|^at|^due|^mandate)$")
RECIPIENTS = ("agency", "agency with a mandate", "nobody", "bank without a mandate")
CODES = (FIRM, OTHER, SHOP)
QUERIES = ("", "?format=json", "?format=html")


def answers(running: Any, receiver: Any) -> dict[tuple[str, str, str], Any]:
    """What each recipient gets on each route for each subject, without what differs from answer to answer."""
    running.http.app.service.quotas.misses = RateLimit(1e6, 1e6)  # so many refusals are no attempt to guess codes here
    received: dict[tuple[str, str, str], Any] = {}
    requests = post_requests(running, receiver)
    for code in CODES:
        mandate = running.world.grant("scjgj", code).id
        for recipient in RECIPIENTS:
            headers = credentials(running, recipient)
            for path, request in requests.items():
                sent = request.sent
                if "bank" in recipient and "uscc" not in sent.get("json", {}):
                    continue  # not about one subject, or a file of requests under mandates
                if "json" in sent:
                    body = {**sent["json"], **({"uscc": code} if "uscc" in sent["json"] else {})}
                    if recipient == "agency with a mandate" and "mandate" in body:
                        body |= {"mandate": mandate, "purpose": PURPOSE}
                    elif path != "/v1/evaluations":
                        body = {key: value for key, value in body.items() if key not in ("mandate", "purpose")}
                    sent = {"json": body}
                response = running.http.post(path, headers=headers | sent.get("headers", {}), **without(sent))
                received[recipient, f"POST {path}", code] = normal(response)
            for path in got_paths(running):
                if "bank" in recipient and "{uscc}" not in path:
                    continue  # its own jobs and applications, of which each walk leaves some
                for query in QUERIES:
                    opened = f"{query or '?format=json'}&purpose={PURPOSE}&mandate={mandate}"
                    wanted = opened if recipient == "agency with a mandate" else query
                    response = running.http.get(path.replace("{uscc}", code) + wanted, headers=headers)
                    received[recipient, f"GET {path}{query}", code] = normal(response)
    assert all(status != 429 for status, _ in received.values())
    return received


def credentials(running: Any, recipient: str) -> dict[str, str]:
    """The headers of a recipient."""
    if recipient == "nobody":
        return {}
    return {"Authorization": f"Bearer {running.token('jincheng' if 'bank' in recipient else 'scjgj')}"}


def got_paths(running: Any) -> list[str]:
    """Every documented path that is read, with the subject's code where it takes one."""
    document = running.http.app.app.openapi()
    paths = [path for path, methods in document["paths"].items() if "get" in methods]
    return [re.sub(r"\{(?!uscc)\w+\}", "none", path) for path in paths if path not in ("/ready", "/metrics")]


def without(sent: dict[str, Any]) -> dict[str, Any]:
    """The options of a request without its headers."""
    return {key: value for key, value in sent.items() if key != "headers"}


def normal(response: Any) -> tuple[int, Any]:
    """The status and the content of a response, without ids, times and salts."""
    if "json" in response.headers.get("content-type", ""):
        return response.status_code, stripped(json.loads(response.content))
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9A-F]{16}|\d{4}-\d{2}-\d{2}T[\d:.+Z-]+", "·", response.text)
    return response.status_code, text


def stripped(value: Any) -> Any:
    """A JSON value without what differs from answer to answer."""
    if isinstance(value, dict):
        return {key: stripped(each) for key, each in value.items() if not CHANGING.search(key)}
    return [stripped(each) for each in value] if isinstance(value, list) else value


def differences(before: dict[Any, Any], after: dict[Any, Any]) -> list[str]:
    """The routes whose answers differ."""
    return sorted(" ".join(key) for key in before | after if before.get(key) != after.get(key))
