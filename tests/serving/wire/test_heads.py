"""A head that is known says of another request what a parser would say of it, or nothing."""

from __future__ import annotations

from typing import Any

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.wire.heads import KnownHead

PATH = "/v1/scores"
FIXED = [(b"Host", b"x"), (b"Authorization", b"Bearer abc.def"), (b"Content-Type", b"application/json")]
VARYING = [(b"traceparent", b"00-1-2-01"), (b"X-Request-ID", b"a"), (b"Content-Length", b"2")]


class Parsed:
    """What the parser of the ordinary way reads in one request."""

    def __init__(self, data: bytes) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.url, self.body, self.whole = b"", b"", False
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.whole = True


def request(headers: list[tuple[bytes, bytes]], body: bytes = b"{}", path: str = PATH) -> bytes:
    lines = b"".join(b"%b: %b\r\n" % line for line in headers)
    return b"POST %b HTTP/1.1\r\n%b\r\n%b" % (path.encode(), lines, body)


def head_of(data: bytes) -> KnownHead | None:
    parsed = Parsed(data)
    scope: dict[str, Any] = {
        "method": parsed.parser.get_method().decode(), "path": parsed.url.decode(), "headers": parsed.headers
    }  # fmt: skip
    return KnownHead.of(data, scope, parsed.parser.should_keep_alive(), (PATH,))


PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40).map(str.encode)
WORDS = PLAIN | st.binary(max_size=20) | st.sampled_from([b"0" * 600, b"1\r\nHost: y", b"2\nA: b", b"\xe9"])
SIZES = st.integers(0, 99).map(lambda n: b"%d" % n) | st.sampled_from([b"+2", b"2,2", b"0x2", b"2 ", b"12345678"])


@given(st.permutations(FIXED + VARYING), st.tuples(WORDS, WORDS), SIZES, st.binary(max_size=99),
       st.sampled_from([b"", b"", b"", b"Authorization", b"Host"]))  # fmt: skip
def test_a_known_head_is_read_as_the_parser_reads_it(
    lines: list[tuple[bytes, bytes]], words: tuple[bytes, bytes], size: bytes, body: bytes, other: bytes
) -> None:
    head = head_of(request(lines))
    assert head is not None
    assert head.body(request(lines)) == (len(request(lines)) - 2, len(request(lines)))
    new = {b"traceparent": words[0], b"X-Request-ID": words[1], b"Content-Length": size, other: b"another"}
    data = request([(name, new.get(name, value)) for name, value in lines], body)
    place = head.body(data)
    if other:
        assert place is None
    if place is None:
        return
    parsed = Parsed(data[: place[1]])
    assert parsed.parser.should_keep_alive()
    assert parsed.body == data[place[0] : place[1]]
    assert parsed.whole == (len(data) >= place[1])
    fields, before = dict(parsed.headers), dict(Parsed(request(lines)).headers)
    assert len(fields) == len(parsed.headers)
    varies = {name.lower() for name, _ in VARYING}
    assert {n: v for n, v in fields.items() if n not in varies} == {n: v for n, v in before.items() if n not in varies}


@pytest.mark.parametrize("more", [
    (b"Content-Length", b"2"), (b"Transfer-Encoding", b"chunked"), (b"Expect", b"100-continue"), (b"DPoP", b"x"),
    (b"Connection", b"close"), (b"Connection", b"keep-alive, x"), (b"Upgrade", b"h2c"), (b"HOST", b"y"),
])  # fmt: skip
def test_a_head_with_more_headers_is_not_kept(more: tuple[bytes, bytes]) -> None:
    try:
        head = head_of(request([*FIXED, *VARYING, more]))
    except httptools.HttpParserError:
        return  # nor does the ordinary way read it
    assert head is None


def test_only_a_whole_head_for_something_that_has_a_fast_way_is_kept() -> None:
    whole = request(FIXED + VARYING)
    assert head_of(request(FIXED + VARYING, path="/v1/scores/batch")) is None
    assert head_of(request(FIXED, b"")) is None  # of no length
    kept = head_of(whole[:-2])  # its body comes later
    assert kept is not None
    assert kept.body(whole) == (len(whole) - 2, len(whole))
    assert [kept.body(whole[:end]) for end in range(len(whole) - 2)] == [None] * (len(whole) - 2)
