"""The synchronous client of the scoring service for a bank: tokens, retries, and refusals as errors.

`ServiceClient` blocks and `AsyncServiceClient` is awaited; both run the same operations (`serving.bank.operations`)
over httpx.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import httpx

from credit.keys import KeyRing
from serving.auth.client_key import ClientKey
from serving.bank.async_client import AsyncServiceClient
from serving.bank.deprecated import renamed_argument
from serving.bank.operations import BatchItem, FileForm, Kind, Operations, Question
from serving.bank.response_types import LiveScore, Objection, Part, Score
from serving.bank.transport import Operation, Pause, unreachable

__all__ = ["AsyncServiceClient", "ServiceClient"]


class ServiceClient:
    """A client of the scoring service at `url` for one bank; use it as a context manager. Not for several threads.

    With a `key` of the bank's own it needs no secret, and every token is bound to the key (DPoP, RFC 9449). With a
    `ring` of the service's keys every answer's signature is verified. Overload and lost connections are retried for
    at most `patience` seconds. A request that creates or answers something has one idempotency key: it is carried
    out once and has one ledger entry, however often it is sent.
    """

    def __init__(
        self, url: str, bank: str, secret: str = "", *, timeout: float = 10.0, http: httpx.Client | None = None,
        ring: KeyRing | None = None, patience: float = 5.0, key: ClientKey | None = None,
    ) -> None:  # fmt: skip
        """`http` lets a caller pass a client of its own (a proxy, mutual TLS), with its own base address."""
        self._http = http or httpx.Client(base_url=url, timeout=timeout)
        self._operations = Operations(bank, secret, ring, patience, url=str(self._http.base_url), key=key)

    def __enter__(self) -> ServiceClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def score(self, uscc: str, purpose: str, mandate: str) -> Score:
        """The score of one subject. Raises the CreditError of the service's problem document."""
        result: Score = self._run(self._operations.score(uscc, purpose, mandate))
        return result

    def live(
        self, uscc: str, purpose: str, mandate: str, features: Mapping[str, float | None], kind: Kind = "fused"
    ) -> LiveScore:
        """A score with values that you supply, `None` where you know that there is none; or a trial (`what_if`)."""
        result: LiveScore = self._run(self._operations.live(uscc, purpose, mandate, features, kind))
        return result

    def facts(self, score_id: str, uscc: str) -> dict[str, Any]:
        """The records behind the reasons of a score that you received."""
        return dict(self._run(self._operations.facts(score_id, uscc)))

    def batch(self, requests: Sequence[BatchItem] | None = None, **old_names: Sequence[BatchItem]) -> list[Part]:
        """Up to 1,000 `(uscc, purpose, mandate)`: one part per request, with `status`, and `answer` or `problem`.

        The argument was called `asks`, which still works with a DeprecationWarning.
        """
        items = renamed_argument(requests, "requests", "asks", old_names)
        return list(self._run(self._operations.batch(items)))

    def verify(self, uscc: str, purpose: str, mandate: str, question: Question, value: int | str | None = None) -> Any:
        """True, False, or a band `{"from", "below"}` of points, where you do not need the score itself."""
        return self._run(self._operations.verify(uscc, purpose, mandate, question, value))["answer"]

    def object_to(self, score_id: str, kind: str, statement: str) -> Objection:
        """File a subject's objection (异议); `kind` is explanation, correction or human_review."""
        result: Objection = self._run(self._operations.object_to(score_id, kind, statement))
        return result

    def objection(self, name: str) -> dict[str, Any]:
        """The status of an objection."""
        return dict(self._run(self._operations.objection(name)))

    def supervision(self, uscc: str, matter: str) -> dict[str, Any]:
        """For agencies: a subject's tier and rate of inspection, in the matter named."""
        return dict(self._run(self._operations.supervision(uscc, matter)))

    def query(self, name: str, uscc: str, purpose: str = "", mandate: str = "", **page: int) -> dict[str, Any]:
        """A page of a list such as `penalties`; `page` and `size` select it."""
        result = {"uscc": uscc, "purpose": purpose, "mandate": mandate, **page}
        return dict(self._run(self._operations.query(name, result)))

    def report(self, uscc: str, form: str = "pdf", purpose: str = "", mandate: str = "") -> tuple[bytes, str]:
        """A public credit report as pdf, html or json, and the signature over its bytes. Store both."""
        body, signature = self._run(
            self._operations.report(uscc, {"format": form, "purpose": purpose, "mandate": mandate})
        )
        return bytes(body), str(signature)

    def learn_keys(self) -> KeyRing:
        """Fetch the service's public keys from the service, and verify every later answer with them."""
        ring: KeyRing = self._run(self._operations.learn_keys())
        return ring

    def set_webhook(self, url: str) -> dict[str, Any]:
        """Set the address to which this bank's webhooks are sent."""
        return dict(self._run(self._operations.set_webhook(url)))

    def try_webhook(self) -> dict[str, Any]:
        """Have a trial webhook sent at once; gives its outcome."""
        return dict(self._run(self._operations.try_webhook()))

    def watch(self, uscc: str, mandate: str, kinds: Sequence[str] = ()) -> dict[str, Any]:
        """Watch a subject under a mandate for post_loan_management."""
        return dict(self._run(self._operations.watch(uscc, mandate, kinds)))

    def watches(self) -> list[dict[str, Any]]:
        """This bank's active watches."""
        return list(self._run(self._operations.get("/v1/watches"))["watches"])

    def end_watch(self, watch: str) -> dict[str, Any]:
        """End a watch."""
        return dict(self._run(self._operations.end(f"/v1/watches/{watch}")))

    def deliveries(self, status: str = "dead") -> list[dict[str, Any]]:
        """The deliveries of this bank's webhooks with a status: waiting, delivered, dead or withdrawn."""
        return list(self._run(self._operations.get("/v1/deliveries", status=status))["deliveries"])

    def resend(self, delivery: str) -> dict[str, Any]:
        """Retry a dead delivery."""
        return dict(self._run(self._operations.resend(delivery)))

    def send_job(self, lines: Sequence[BatchItem]) -> dict[str, Any]:
        """Send up to 100,000 `(uscc, purpose, mandate)`, to be scored in the background."""
        return dict(self._run(self._operations.send_job(lines)))

    def send_file(self, file: bytes) -> dict[str, Any]:
        """Send a file as it is, CSV or Parquet with the columns `uscc`, `purpose` and `mandate`."""
        return dict(self._run(self._operations.send_file(file)))

    def jobs(self) -> list[dict[str, Any]]:
        """This bank's jobs, the newest first."""
        return list(self._run(self._operations.get("/v1/jobs"))["jobs"])

    def job(self, job: str) -> dict[str, Any]:
        """A job's progress."""
        return dict(self._run(self._operations.get(f"/v1/jobs/{job}")))

    def job_result(self, job: str) -> list[dict[str, str]]:
        """The rows of a finished job, with the column names of its CSV."""
        return list(self._run(self._operations.job_result(job)))

    def job_file(self, job: str, form: FileForm = "parquet") -> tuple[bytes, str]:
        """The result of a finished job as a file, and the signature over its bytes. Store both."""
        file, signature = self._run(self._operations.job_file(job, form))
        return bytes(file), str(signature)

    def end_job(self, job: str) -> dict[str, Any]:
        """Stop a job, or discard a finished one: its files are deleted."""
        return dict(self._run(self._operations.end(f"/v1/jobs/{job}")))

    def ready(self) -> dict[str, Any]:
        """The service's readiness. Raises Lapsed when it is not ready."""
        return dict(self._run(self._operations.ready()))

    def _run(self, operation: Operation) -> Any:
        result: httpx.Response | None = None
        while True:
            try:
                step = operation.send(result)
            except StopIteration as done:
                return done.value
            result = None
            if isinstance(step, Pause):
                time.sleep(step.seconds)
                continue
            try:
                result = self._http.request(step.method, step.path, **step.options)
            except httpx.HTTPError as error:
                result = unreachable(error)
