"""Conversations over HTTP made from a number: connections of several callers, cut anywhere, in every framing.

A plain reference (h11, another parser in another language's spirit: strict and slow) reads the same bytes and says who
asks on each of them. No answer may be given to anyone else, and nothing that is only the content of a body may be done.
"""

from __future__ import annotations

import json
import random
import socket
import time
from dataclasses import dataclass, field
from typing import Any

import h11

PURPOSE, SMUGGLED = "credit_granting", "smuggled"
ODD = ("chunked", "trailers", "upgrade", "lengths", "both", "hosts", "no-host", "cut-line")
WAIT = 10.0  # seconds for a response


@dataclass(frozen=True)
class Banks:
    """What the callers hold: a token and a mandate for each bank, and one mandate that only smuggled requests name."""

    tokens: dict[str, str]
    mandates: dict[str, str]
    code: str
    smuggled: str

    def who(self, authorization: bytes) -> str | None:
        """The bank of an Authorization header."""
        return next((bank for bank, token in self.tokens.items() if authorization == f"Bearer {token}".encode()), None)


@dataclass
class Request:
    """One request as it is sent, and what it means."""

    raw: bytes
    who: str | None
    mandate: str  # that its own body names; empty when the body is something else
    is_odd: bool


@dataclass
class Outcome:
    """The result of the conversations so far."""

    conversations: int = 0
    answered: dict[str, str | None] = field(default_factory=dict)  # score id -> who was meant
    wrong: list[str] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)


def converse(seed: int, banks: Banks, port: int, outcome: Outcome) -> None:
    """Hold the conversation of this number with the server on `port`."""
    chance = random.Random(seed)
    lines = [[_request(chance, banks) for _ in range(chance.randint(1, 4))] for _ in range(chance.randint(1, 4))]
    links = [socket.create_connection(("127.0.0.1", port), WAIT) for _ in lines]
    pieces: list[tuple[int, bytes]] = []
    queues = [_pieces(chance, b"".join(request.raw for request in line)) for line in lines]
    while any(queues):
        number = chance.choice([n for n, queue in enumerate(queues) if queue])
        pieces.append((number, queues[number].pop(0)))
    for number, piece in pieces:
        links[number].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            links[number].sendall(piece)
        except OSError:  # closed after a refusal
            continue
        if chance.random() < 0.3:
            time.sleep(chance.random() / 500)  # so that the next piece is a read of its own
    for line, link in zip(lines, links, strict=True):
        _judge(seed, line, _responses(link, len(line)), reference(b"".join(r.raw for r in line), banks), outcome)
        link.close()
    outcome.conversations += 1


def _judge(
    seed: int, line: list[Request], responses: list[tuple[int, Any]], expected: list[tuple[int, str | None]],
    outcome: Outcome,
) -> None:  # fmt: skip
    """Compare what was answered on one connection with the reference and with what was meant."""
    regular = next((n for n, request in enumerate(line) if request.is_odd), len(line))
    for number in range(regular):  # up to the first odd request everything is exact
        if number >= len(responses) and regular < len(line):  # what follows is no HTTP: the server ends it at once
            return
        if number >= len(responses):
            outcome.killed.append(f"{seed}: request {number} of {len(line)} has no response: {responses} {expected}")
            return
        is_ended = responses[number][0] == 400 and number + 1 == len(responses) and regular < len(line)
        if is_ended:
            return
        if responses[number][0] != expected[number][0]:
            outcome.wrong.append(f"{seed}: {responses[number][0]} where the reference has {expected[number]}")
    meant = [request.who for request in line]
    at = 0
    for status, body in responses:
        if status == 200 and isinstance(body, dict) and "score_id" in body:
            while at < len(meant) and (meant[at] is None or line[at].mandate != body["mandate"]):
                at += 1
            if at == len(meant):
                outcome.wrong.append(f"{seed}: an answer that no request meant")
                return
            outcome.answered[body["score_id"]] = meant[at]
            at += 1


def reference(data: bytes, banks: Banks) -> list[tuple[int, str | None]]:
    """Status and caller of each request, by h11: it drops trailers, ignores Upgrade, and ends at what is no HTTP."""
    results: list[tuple[int, str | None]] = []
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    server.receive_data(data)
    while True:
        try:
            event = server.next_event()
        except h11.RemoteProtocolError:
            return [*results, (400, None)]
        if event in (h11.NEED_DATA, h11.PAUSED) and not isinstance(event, h11.Event):
            return results
        if isinstance(event, h11.Request):
            head, body = event, b""
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            results.append(_meaning(head, body, banks))
            server.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
            server.send(h11.EndOfMessage())
            if server.our_state is not h11.DONE or server.their_state is not h11.DONE:
                return results
            server.start_next_cycle()


def _meaning(head: h11.Request, body: bytes, banks: Banks) -> tuple[int, str | None]:
    headers = dict(head.headers)
    if head.target == b"/live":
        return 200, None
    if head.target != b"/v1/scores":
        return 404, None
    who = banks.who(headers.get(b"authorization", b""))
    if who is None:
        return 401, None
    try:
        mandate = json.loads(body)["mandate"]
    except ValueError:
        return 422, who
    return (200 if mandate == banks.mandates[who] else 403), who


def _request(chance: random.Random, banks: Banks) -> Request:
    who = chance.choice([*banks.tokens, *banks.tokens, None, "forged"])
    kind = chance.choice(["plain"] * 12 + list(ODD))
    token = banks.tokens.get(str(who), "forged.token.x" if who == "forged" else "")
    mandate = banks.mandates.get(str(who), "none")
    body = json.dumps({"uscc": banks.code, "purpose": PURPOSE, "mandate": mandate}).encode()
    if chance.random() < 0.15 or kind == "upgrade":  # the body is another bank's whole request
        body, mandate = _smuggled(chance, banks), ""
    target = chance.choice(["/v1/scores"] * 8 + ["/live", "/nothing"])
    method = "GET" if target == "/live" else "POST"
    lines = [_case(chance, "Host") + ": x"]
    if token:
        lines.append(f"{_case(chance, 'Authorization')}: Bearer {token}")
    lines += [f"X-{n}: {'v' * chance.randint(0, 200)}" for n in range(chance.randint(0, 3))]
    payload = body
    if kind in ("chunked", "trailers", "both"):
        lines.append("Transfer-Encoding: chunked")
        other = chance.choice(list(banks.tokens.values()))
        trailer = f"Authorization: Bearer {other}\r\n".encode() if kind == "trailers" else b""
        payload = _chunks(chance, body) + b"0\r\n" + trailer + b"\r\n"
    if kind not in ("chunked", "trailers"):
        lines.append(f"{_case(chance, 'Content-Length')}: {len(body)}")
    if kind == "lengths":
        lines.append(f"Content-Length: {max(0, len(body) - chance.randint(1, 9))}")
    if kind == "upgrade":
        lines += ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"]
    if kind == "hosts":
        lines.append("Host: elsewhere")
    if kind == "no-host":
        lines = lines[1:]
    chance.shuffle(lines)
    if kind == "cut-line":
        lines.append("X-A\r\n B: c")
    raw = f"{method} {target} HTTP/1.1\r\n".encode() + "\r\n".join(lines).encode() + b"\r\n\r\n" + payload
    known = str(who) if who in banks.tokens else None
    return Request(raw, known, mandate, kind != "plain")


def _smuggled(chance: random.Random, banks: Banks) -> bytes:
    token = chance.choice(list(banks.tokens.values()))
    inner = json.dumps({"uscc": banks.code, "purpose": PURPOSE, "mandate": banks.smuggled}).encode()
    head = (
        f"POST /v1/scores HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {len(inner)}\r\n\r\n"
    )
    return head.encode() + inner


def _case(chance: random.Random, name: str) -> str:
    return chance.choice([name, name.lower(), name.upper()])


def _chunks(chance: random.Random, body: bytes) -> bytes:
    parts = b""
    for piece in _pieces(chance, body):
        parts += b"%x\r\n%b\r\n" % (len(piece), piece)
    return parts


def _pieces(chance: random.Random, data: bytes) -> list[bytes]:
    """The data cut at a few places."""
    cuts = sorted(chance.sample(range(1, len(data)), min(len(data) - 1, chance.choice([0, 0, 1, 2, 5]))))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def _responses(link: socket.socket, count: int) -> list[tuple[int, Any]]:
    """Up to so many responses, until the server closes the connection."""
    client, received, results = b"", True, list[tuple[int, Any]]()
    link.settimeout(WAIT)
    while len(results) < count and received:
        head, end, rest = client.partition(b"\r\n\r\n")
        size = _length(head) if end else 0
        if end and len(rest) >= size:
            client = rest[size:]
            status = int(head.split(b" ", 2)[1])
            if status != 100:
                results.append((status, _json(rest[:size])))
            continue
        try:
            chunk = link.recv(65536)
        except OSError:
            chunk = b""
        received, client = bool(chunk), client + chunk
    return results


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
