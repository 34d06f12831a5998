"""The bank's side, awaited: each move of :class:`serving.bank.client.ServiceClient` for programs with an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import httpx

from credit.keys import KeyRing
from serving.auth.client_key import ClientKey
from serving.bank.operations import BatchItem, FileForm, Kind, Operations, Question
from serving.bank.response_types import LiveScore, Objection, Part, Score
from serving.bank.transport import Operation, Pause, unreachable


class AsyncServiceClient:
    """As :class:`serving.bank.client.ServiceClient`, awaited; one may be used by many tasks at once."""

    def __init__(
        self, url: str, bank: str, secret: str = "", *, timeout: float = 10.0, http: httpx.AsyncClient | None = None,
        ring: KeyRing | None = None, patience: float = 5.0, key: ClientKey | None = None,
    ) -> None:  # fmt: skip
        """As the other's."""
        self._http = http or httpx.AsyncClient(base_url=url, timeout=timeout)
        self._moves = Operations(bank, secret, ring, patience, url=str(self._http.base_url), key=key)

    async def __aenter__(self) -> AsyncServiceClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def score(self, uscc: str, purpose: str, mandate: str) -> Score:
        """As the other's."""
        told: Score = await self._run(self._moves.score(uscc, purpose, mandate))
        return told

    async def live(
        self, uscc: str, purpose: str, mandate: str, features: Mapping[str, float | None], kind: Kind = "fused"
    ) -> LiveScore:
        """As the other's."""
        told: LiveScore = await self._run(self._moves.live(uscc, purpose, mandate, features, kind))
        return told

    async def facts(self, score_id: str, uscc: str) -> dict[str, Any]:
        """As the other's."""
        return dict(await self._run(self._moves.facts(score_id, uscc)))

    async def batch(self, asks: Sequence[BatchItem]) -> list[Part]:
        """As the other's."""
        return list(await self._run(self._moves.batch(asks)))

    async def verify(
        self, uscc: str, purpose: str, mandate: str, question: Question, value: int | str | None = None
    ) -> Any:
        """As the other's."""
        return (await self._run(self._moves.verify(uscc, purpose, mandate, question, value)))["answer"]

    async def object_to(self, score_id: str, kind: str, statement: str) -> Objection:
        """As the other's."""
        told: Objection = await self._run(self._moves.object_to(score_id, kind, statement))
        return told

    async def objection(self, name: str) -> dict[str, Any]:
        """As the other's."""
        return dict(await self._run(self._moves.objection(name)))

    async def ready(self) -> dict[str, Any]:
        """As the other's."""
        return dict(await self._run(self._moves.ready()))

    async def supervision(self, uscc: str, matter: str) -> dict[str, Any]:
        """As the other's."""
        return dict(await self._run(self._moves.supervision(uscc, matter)))

    async def query(self, name: str, uscc: str, purpose: str = "", mandate: str = "", **page: int) -> dict[str, Any]:
        """As the other's."""
        told = {"uscc": uscc, "purpose": purpose, "mandate": mandate, **page}
        return dict(await self._run(self._moves.query(name, told)))

    async def report(self, uscc: str, form: str = "pdf", purpose: str = "", mandate: str = "") -> tuple[bytes, str]:
        """As the other's."""
        asked = {"format": form, "purpose": purpose, "mandate": mandate}
        body, signature = await self._run(self._moves.report(uscc, asked))
        return bytes(body), str(signature)

    async def learn_keys(self) -> KeyRing:
        """As the other's."""
        ring: KeyRing = await self._run(self._moves.learn_keys())
        return ring

    async def set_webhook(self, url: str) -> dict[str, Any]:
        """As the other's."""
        return dict(await self._run(self._moves.set_webhook(url)))

    async def try_webhook(self) -> dict[str, Any]:
        """As the other's."""
        return dict(await self._run(self._moves.try_webhook()))

    async def watch(self, uscc: str, mandate: str, kinds: Sequence[str] = ()) -> dict[str, Any]:
        """As the other's."""
        return dict(await self._run(self._moves.watch(uscc, mandate, kinds)))

    async def watches(self) -> list[dict[str, Any]]:
        """As the other's."""
        return list((await self._run(self._moves.get("/v1/watches")))["watches"])

    async def end_watch(self, watch: str) -> dict[str, Any]:
        """As the other's."""
        return dict(await self._run(self._moves.end(f"/v1/watches/{watch}")))

    async def deliveries(self, status: str = "dead") -> list[dict[str, Any]]:
        """As the other's."""
        return list((await self._run(self._moves.get("/v1/deliveries", status=status)))["deliveries"])

    async def resend(self, delivery: str) -> dict[str, Any]:
        """As the other's."""
        return dict(await self._run(self._moves.resend(delivery)))

    async def send_job(self, lines: Sequence[BatchItem]) -> dict[str, Any]:
        """As the other's."""
        return dict(await self._run(self._moves.send_job(lines)))

    async def send_file(self, file: bytes) -> dict[str, Any]:
        """As the other's."""
        return dict(await self._run(self._moves.send_file(file)))

    async def jobs(self) -> list[dict[str, Any]]:
        """As the other's."""
        return list((await self._run(self._moves.get("/v1/jobs")))["jobs"])

    async def job(self, job: str) -> dict[str, Any]:
        """As the other's."""
        return dict(await self._run(self._moves.get(f"/v1/jobs/{job}")))

    async def job_result(self, job: str) -> list[dict[str, str]]:
        """As the other's."""
        return list(await self._run(self._moves.job_result(job)))

    async def job_file(self, job: str, form: FileForm = "parquet") -> tuple[bytes, str]:
        """As the other's."""
        file, signature = await self._run(self._moves.job_file(job, form))
        return bytes(file), str(signature)

    async def end_job(self, job: str) -> dict[str, Any]:
        """As the other's."""
        return dict(await self._run(self._moves.end(f"/v1/jobs/{job}")))

    async def _run(self, move: Operation) -> Any:
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
