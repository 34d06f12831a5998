"""The asynchronous client of the scoring service for a bank, for programs with an event loop.

Each method awaits the operation of :class:`serving.bank.client.ServiceClient` of the same name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import httpx

from credit.keys import KeyRing
from serving.auth.client_key import ClientKey
from serving.bank.deprecated import renamed_argument
from serving.bank.operations import BatchItem, FileForm, Kind, Operations, Question
from serving.bank.response_types import LiveScore, Objection, Part, Score
from serving.bank.transport import Operation, Pause, unreachable


class AsyncServiceClient:
    """As :class:`serving.bank.client.ServiceClient`, awaited; several tasks may share one."""

    def __init__(
        self, url: str, bank: str, secret: str = "", *, timeout: float = 10.0, http: httpx.AsyncClient | None = None,
        ring: KeyRing | None = None, patience: float = 5.0, key: ClientKey | None = None,
    ) -> None:  # fmt: skip
        """As :class:`serving.bank.client.ServiceClient`."""
        self._http = http or httpx.AsyncClient(base_url=url, timeout=timeout)
        self._operations = Operations(bank, secret, ring, patience, url=str(self._http.base_url), key=key)

    async def __aenter__(self) -> AsyncServiceClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def score(self, uscc: str, purpose: str, mandate: str) -> Score:
        """The score of one subject. Raises the CreditError of the service's problem document."""
        result: Score = await self._run(self._operations.score(uscc, purpose, mandate))
        return result

    async def live(
        self, uscc: str, purpose: str, mandate: str, features: Mapping[str, float | None], kind: Kind = "fused"
    ) -> LiveScore:
        """A score with values that you supply, `None` where you know that there is none; or a trial (`what_if`)."""
        result: LiveScore = await self._run(self._operations.live(uscc, purpose, mandate, features, kind))
        return result

    async def facts(self, score_id: str, uscc: str) -> dict[str, Any]:
        """The records behind the reasons of a score that you received."""
        return dict(await self._run(self._operations.facts(score_id, uscc)))

    async def batch(self, requests: Sequence[BatchItem] | None = None, **old_names: Sequence[BatchItem]) -> list[Part]:
        """Up to 1,000 `(uscc, purpose, mandate)`: one part per request, with `status`, and `answer` or `problem`.

        The argument was called `asks`, which still works with a DeprecationWarning.
        """
        items = renamed_argument(requests, "requests", "asks", old_names)
        return list(await self._run(self._operations.batch(items)))

    async def verify(
        self, uscc: str, purpose: str, mandate: str, question: Question, value: int | str | None = None
    ) -> Any:
        """True, False, or a band `{"from", "below"}` of points, where you do not need the score itself."""
        return (await self._run(self._operations.verify(uscc, purpose, mandate, question, value)))["answer"]

    async def object_to(self, score_id: str, kind: str, statement: str) -> Objection:
        """File a subject's objection (异议); `kind` is explanation, correction or human_review."""
        result: Objection = await self._run(self._operations.object_to(score_id, kind, statement))
        return result

    async def objection(self, name: str) -> dict[str, Any]:
        """The status of an objection."""
        return dict(await self._run(self._operations.objection(name)))

    async def ready(self) -> dict[str, Any]:
        """The service's readiness. Raises Lapsed when it is not ready."""
        return dict(await self._run(self._operations.ready()))

    async def supervision(self, uscc: str, matter: str) -> dict[str, Any]:
        """For agencies: a subject's tier and rate of inspection, in the matter named."""
        return dict(await self._run(self._operations.supervision(uscc, matter)))

    async def query(self, name: str, uscc: str, purpose: str = "", mandate: str = "", **page: int) -> dict[str, Any]:
        """A page of a list such as `penalties`; `page` and `size` select it."""
        result = {"uscc": uscc, "purpose": purpose, "mandate": mandate, **page}
        return dict(await self._run(self._operations.query(name, result)))

    async def report(self, uscc: str, form: str = "pdf", purpose: str = "", mandate: str = "") -> tuple[bytes, str]:
        """A public credit report as pdf, html or json, and the signature over its bytes. Store both."""
        parameters = {"format": form, "purpose": purpose, "mandate": mandate}
        body, signature = await self._run(self._operations.report(uscc, parameters))
        return bytes(body), str(signature)

    async def learn_keys(self) -> KeyRing:
        """Fetch the service's public keys from the service, and verify every later answer with them."""
        ring: KeyRing = await self._run(self._operations.learn_keys())
        return ring

    async def set_webhook(self, url: str) -> dict[str, Any]:
        """Set the address to which this bank's webhooks are sent."""
        return dict(await self._run(self._operations.set_webhook(url)))

    async def try_webhook(self) -> dict[str, Any]:
        """Have a trial webhook sent at once; gives its outcome."""
        return dict(await self._run(self._operations.try_webhook()))

    async def watch(self, uscc: str, mandate: str, kinds: Sequence[str] = ()) -> dict[str, Any]:
        """Watch a subject under a mandate for post_loan_management."""
        return dict(await self._run(self._operations.watch(uscc, mandate, kinds)))

    async def watches(self) -> list[dict[str, Any]]:
        """This bank's active watches."""
        return list((await self._run(self._operations.get("/v1/watches")))["watches"])

    async def end_watch(self, watch: str) -> dict[str, Any]:
        """End a watch."""
        return dict(await self._run(self._operations.end(f"/v1/watches/{watch}")))

    async def deliveries(self, status: str = "dead") -> list[dict[str, Any]]:
        """The deliveries of this bank's webhooks with a status: waiting, delivered, dead or withdrawn."""
        return list((await self._run(self._operations.get("/v1/deliveries", status=status)))["deliveries"])

    async def resend(self, delivery: str) -> dict[str, Any]:
        """Retry a dead delivery."""
        return dict(await self._run(self._operations.resend(delivery)))

    async def send_job(self, lines: Sequence[BatchItem]) -> dict[str, Any]:
        """Send up to 100,000 `(uscc, purpose, mandate)`, to be scored in the background."""
        return dict(await self._run(self._operations.send_job(lines)))

    async def send_file(self, file: bytes) -> dict[str, Any]:
        """Send a file as it is, CSV or Parquet with the columns `uscc`, `purpose` and `mandate`."""
        return dict(await self._run(self._operations.send_file(file)))

    async def jobs(self) -> list[dict[str, Any]]:
        """This bank's jobs, the newest first."""
        return list((await self._run(self._operations.get("/v1/jobs")))["jobs"])

    async def job(self, job: str) -> dict[str, Any]:
        """A job's progress."""
        return dict(await self._run(self._operations.get(f"/v1/jobs/{job}")))

    async def job_result(self, job: str) -> list[dict[str, str]]:
        """The rows of a finished job, with the column names of its CSV."""
        return list(await self._run(self._operations.job_result(job)))

    async def job_file(self, job: str, form: FileForm = "parquet") -> tuple[bytes, str]:
        """The result of a finished job as a file, and the signature over its bytes. Store both."""
        file, signature = await self._run(self._operations.job_file(job, form))
        return bytes(file), str(signature)

    async def end_job(self, job: str) -> dict[str, Any]:
        """Stop a job, or discard a finished one: its files are deleted."""
        return dict(await self._run(self._operations.end(f"/v1/jobs/{job}")))

    async def _run(self, operation: Operation) -> Any:
        result: httpx.Response | None = None
        while True:
            try:
                step = operation.send(result)
            except StopIteration as done:
                return done.value
            result = None
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                continue
            try:
                result = await self._http.request(step.method, step.path, **step.options)
            except httpx.HTTPError as error:
                result = unreachable(error)
