"""The bank's side: get a token, ask, try again where that is safe, and meet refusals as the errors they are.

`ServiceClient` waits, `AsyncServiceClient` is awaited; both are one set of moves (`serving.bank.operations`) over
httpx.
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
from serving.bank.operations import BatchItem, FileForm, Kind, Operations, Question
from serving.bank.response_types import LiveScore, Objection, Part, Score
from serving.bank.transport import Operation, Pause, unreachable

__all__ = ["AsyncServiceClient", "ServiceClient"]


class ServiceClient:
    """A client of the scoring service at `url` for one bank; use it as a context manager. Not for several threads.

    With a `key` of the bank's it takes no secret, and every token is bound to the key (DPoP).
    With a key `ring` every answer's signature is verified. Overload and lost connections are tried again for at most
    `patience` seconds; what is made or answered has one idempotency key, so that it is made once and is one entry
    however often it was sent.
    """

    def __init__(
        self, url: str, bank: str, secret: str = "", *, timeout: float = 10.0, http: httpx.Client | None = None,
        ring: KeyRing | None = None, patience: float = 5.0, key: ClientKey | None = None,
    ) -> None:  # fmt: skip
        """`http` lets a caller bring a client of its own (a proxy, mutual TLS), with its own base address."""
        self._http = http or httpx.Client(base_url=url, timeout=timeout)
        self._moves = Operations(bank, secret, ring, patience, url=str(self._http.base_url), key=key)

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
        """The answer for one subject. Raises the CreditError that the service's problem document stands for."""
        told: Score = self._run(self._moves.score(uscc, purpose, mandate))
        return told

    def live(
        self, uscc: str, purpose: str, mandate: str, features: Mapping[str, float | None], kind: Kind = "fused"
    ) -> LiveScore:
        """A score with values you bring along, `None` where you know there is none; or a trial (`what_if`)."""
        told: LiveScore = self._run(self._moves.live(uscc, purpose, mandate, features, kind))
        return told

    def facts(self, score_id: str, uscc: str) -> dict[str, Any]:
        """The records behind the reasons of a score that you were given."""
        return dict(self._run(self._moves.facts(score_id, uscc)))

    def batch(self, asks: Sequence[BatchItem]) -> list[Part]:
        """Up to 1,000 `(uscc, purpose, mandate)`: a part each, with `status` and `answer` or `problem`."""
        return list(self._run(self._moves.batch(asks)))

    def verify(self, uscc: str, purpose: str, mandate: str, question: Question, value: int | str | None = None) -> Any:
        """True, False, or a band `{"from", "below"}`, where the score itself is not needed."""
        return self._run(self._moves.verify(uscc, purpose, mandate, question, value))["answer"]

    def object_to(self, score_id: str, kind: str, statement: str) -> Objection:
        """Bring a subject's objection: kind is explanation, correction or human_review."""
        told: Objection = self._run(self._moves.object_to(score_id, kind, statement))
        return told

    def objection(self, name: str) -> dict[str, Any]:
        """How an objection stands."""
        return dict(self._run(self._moves.objection(name)))

    def supervision(self, uscc: str, matter: str) -> dict[str, Any]:
        """For agencies: the tier and the rate of inspection of a subject, in the matter named."""
        return dict(self._run(self._moves.supervision(uscc, matter)))

    def query(self, name: str, uscc: str, purpose: str = "", mandate: str = "", **page: int) -> dict[str, Any]:
        """A page of a list, such as `penalties`: `page` and `size` say which."""
        told = {"uscc": uscc, "purpose": purpose, "mandate": mandate, **page}
        return dict(self._run(self._moves.query(name, told)))

    def report(self, uscc: str, form: str = "pdf", purpose: str = "", mandate: str = "") -> tuple[bytes, str]:
        """A public credit report as pdf, html or json, and the signature over its bytes: keep both."""
        body, signature = self._run(self._moves.report(uscc, {"format": form, "purpose": purpose, "mandate": mandate}))
        return bytes(body), str(signature)

    def learn_keys(self) -> KeyRing:
        """Take the service's public keys from itself, and verify with them from now on."""
        ring: KeyRing = self._run(self._moves.learn_keys())
        return ring

    def set_webhook(self, url: str) -> dict[str, Any]:
        """Say where this bank is told of changes."""
        return dict(self._run(self._moves.set_webhook(url)))

    def try_webhook(self) -> dict[str, Any]:
        """Have a webhook sent to you as a trial, now: what came of it."""
        return dict(self._run(self._moves.try_webhook()))

    def watch(self, uscc: str, mandate: str, kinds: Sequence[str] = ()) -> dict[str, Any]:
        """Watch a subject under a mandate for post_loan_management."""
        return dict(self._run(self._moves.watch(uscc, mandate, kinds)))

    def watches(self) -> list[dict[str, Any]]:
        """This bank's living watches."""
        return list(self._run(self._moves.get("/v1/watches"))["watches"])

    def end_watch(self, watch: str) -> dict[str, Any]:
        """End a watch."""
        return dict(self._run(self._moves.end(f"/v1/watches/{watch}")))

    def deliveries(self, status: str = "dead") -> list[dict[str, Any]]:
        """Webhooks waiting, delivered, dead or withdrawn."""
        return list(self._run(self._moves.get("/v1/deliveries", status=status))["deliveries"])

    def resend(self, delivery: str) -> dict[str, Any]:
        """Try a dead letter anew."""
        return dict(self._run(self._moves.resend(delivery)))

    def send_job(self, lines: Sequence[BatchItem]) -> dict[str, Any]:
        """Send up to 100,000 `(uscc, purpose, mandate)` to be scored in the background."""
        return dict(self._run(self._moves.send_job(lines)))

    def send_file(self, file: bytes) -> dict[str, Any]:
        """Send a file that you have, CSV or Parquet with the columns `uscc`, `purpose` and `mandate`."""
        return dict(self._run(self._moves.send_file(file)))

    def jobs(self) -> list[dict[str, Any]]:
        """This bank's jobs, the newest first."""
        return list(self._run(self._moves.get("/v1/jobs"))["jobs"])

    def job(self, job: str) -> dict[str, Any]:
        """How far a job is."""
        return dict(self._run(self._moves.get(f"/v1/jobs/{job}")))

    def job_result(self, job: str) -> list[dict[str, str]]:
        """The rows of a job that is done, as its CSV names them."""
        return list(self._run(self._moves.job_result(job)))

    def job_file(self, job: str, form: FileForm = "parquet") -> tuple[bytes, str]:
        """The result of a job that is done as a file, and the signature over its bytes: keep both."""
        file, signature = self._run(self._moves.job_file(job, form))
        return bytes(file), str(signature)

    def end_job(self, job: str) -> dict[str, Any]:
        """Stop a job, or be done with it: its files are deleted."""
        return dict(self._run(self._moves.end(f"/v1/jobs/{job}")))

    def ready(self) -> dict[str, Any]:
        """What the service says of its readiness; raises Lapsed when it is not ready."""
        return dict(self._run(self._moves.ready()))

    def _run(self, move: Operation) -> Any:
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
