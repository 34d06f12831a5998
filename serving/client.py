"""The bank's side: get a token, ask, try again where that is safe, and meet refusals as the errors they are.

`ServiceClient` waits, `AsyncServiceClient` is awaited; both are one set of moves (`serving.moves`) over httpx.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator, Sequence
from types import TracebackType
from typing import Any

import httpx

from credit.keys import KeyRing
from serving.moves import Ask, Moves, Pause, Question, Sent, unreachable

Move = Generator[Sent | Pause, httpx.Response | None, Any]


class ServiceClient:
    """A client of the scoring service at `url` for one bank; use it as a context manager. Not for several threads.

    With a key `ring` every answer's signature is verified. Overload and lost connections are tried again for at most
    `patience` seconds, a score under one idempotency key, so that it is one answer and one entry however often asked.
    """

    def __init__(
        self, url: str, bank: str, secret: str, *, timeout: float = 10.0, http: httpx.Client | None = None,
        ring: KeyRing | None = None, patience: float = 5.0,
    ) -> None:  # fmt: skip
        """`http` lets a caller bring a client of its own (a proxy, mutual TLS), with its own base address."""
        self._http = http or httpx.Client(base_url=url, timeout=timeout)
        self._moves = Moves(bank, secret, ring, patience)

    def __enter__(self) -> ServiceClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def score(self, uscc: str, purpose: str, mandate: str) -> dict[str, Any]:
        """The answer for one subject. Raises the CreditError that the service's problem document stands for."""
        return dict(self._run(self._moves.score(uscc, purpose, mandate)))

    def batch(self, asks: Sequence[Ask]) -> list[dict[str, Any]]:
        """Up to 1,000 `(uscc, purpose, mandate)`: a part each, with `status` and `answer` or `problem`."""
        return list(self._run(self._moves.batch(asks)))

    def verify(self, uscc: str, purpose: str, mandate: str, question: Question, value: int | str | None = None) -> Any:
        """True, False, or a band `{"from", "below"}`, where the score itself is not needed."""
        return self._run(self._moves.verify(uscc, purpose, mandate, question, value))["answer"]

    def object_to(self, score_id: str, kind: str, statement: str) -> dict[str, Any]:
        """Bring a subject's objection: kind is explanation, correction or human_review."""
        return dict(self._run(self._moves.object_to(score_id, kind, statement)))

    def objection(self, name: str) -> dict[str, Any]:
        """How an objection stands."""
        return dict(self._run(self._moves.objection(name)))

    def query(self, name: str, uscc: str, purpose: str = "", mandate: str = "", **page: int) -> dict[str, Any]:
        """A page of a list, such as `penalties`: `page` and `size` say which."""
        told = {"uscc": uscc, "purpose": purpose, "mandate": mandate, **page}
        return dict(self._run(self._moves.query(name, told)))

    def report(self, uscc: str, form: str = "pdf", purpose: str = "", mandate: str = "") -> tuple[bytes, str]:
        """A public credit report as pdf, html or json, and the signature over its bytes: keep both."""
        body, signature = self._run(self._moves.report(uscc, {"format": form, "purpose": purpose, "mandate": mandate}))
        return bytes(body), str(signature)

    def ready(self) -> dict[str, Any]:
        """What the service says of its readiness; raises Lapsed when it is not ready."""
        return dict(self._run(self._moves.ready()))

    def _run(self, move: Move) -> Any:
        told: httpx.Response | None = None
        while True:
            try:
                wanted = move.send(told)
            except StopIteration as done:
                return done.value
            told = None
            if isinstance(wanted, Pause):
                time.sleep(wanted.seconds)
                continue
            try:
                told = self._http.request(wanted.method, wanted.path, **wanted.options)
            except httpx.HTTPError as error:
                told = unreachable(error)


class AsyncServiceClient:
    """As :class:`ServiceClient`, awaited; one may be used by many tasks at once."""

    def __init__(
        self, url: str, bank: str, secret: str, *, timeout: float = 10.0, http: httpx.AsyncClient | None = None,
        ring: KeyRing | None = None, patience: float = 5.0,
    ) -> None:  # fmt: skip
        """As the other's."""
        self._http = http or httpx.AsyncClient(base_url=url, timeout=timeout)
        self._moves = Moves(bank, secret, ring, patience)

    async def __aenter__(self) -> AsyncServiceClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def score(self, uscc: str, purpose: str, mandate: str) -> dict[str, Any]:
        """As the other's."""
        return dict(await self._run(self._moves.score(uscc, purpose, mandate)))

    async def batch(self, asks: Sequence[Ask]) -> list[dict[str, Any]]:
        """As the other's."""
        return list(await self._run(self._moves.batch(asks)))

    async def verify(
        self, uscc: str, purpose: str, mandate: str, question: Question, value: int | str | None = None
    ) -> Any:
        """As the other's."""
        return (await self._run(self._moves.verify(uscc, purpose, mandate, question, value)))["answer"]

    async def _run(self, move: Move) -> Any:
        told: httpx.Response | None = None
        while True:
            try:
                wanted = move.send(told)
            except StopIteration as done:
                return done.value
            told = None
            if isinstance(wanted, Pause):
                await asyncio.sleep(wanted.seconds)
                continue
            try:
                told = await self._http.request(wanted.method, wanted.path, **wanted.options)
            except httpx.HTTPError as error:
                told = unreachable(error)
