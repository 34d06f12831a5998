"""What a bank's client does, without doing it: generators that say what to send and when to wait, and read what came.

So the client that waits and the one that is awaited are one and the same, and neither repeats the other.
"""

from __future__ import annotations

import csv
import io
import random
import secrets
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil
from typing import Any, Literal
from urllib.parse import quote_plus

import httpx

from credit.errors import Broken, CreditError, Lapsed, Malformed, Missing, Refused, Unauthenticated
from credit.keys import KeyRing
from serving.access.holder import HeldKey
from serving.access.quotas import TooMany
from serving.jobs.columns import CSV, HEAD, MAGIC, PARQUET
from serving.ledger.signatures import HEADER, ring_of, verify

Ask = tuple[str, str, str]  # uscc, purpose, mandate
Question = Literal["points_at_least", "grade_at_least", "points_within"]
Kind = Literal["fused", "what_if"]  # of a live score
FileForm = Literal["csv", "parquet"]  # of a job's file
_CLASSES: Mapping[int, type[CreditError]] = {
    401: Unauthenticated, 403: Refused, 404: Missing, 408: Lapsed, 413: Malformed, 422: Malformed,
    502: Lapsed, 503: Lapsed, 504: Lapsed,
}  # fmt: skip
_AGAIN = {408, 429, 502, 503, 504}
_NOBODY = 599  # a response of our own: no other came
_MEDIA: Mapping[FileForm, str] = {"csv": CSV, "parquet": PARQUET}
_EARLY = 30  # seconds before its end at which a token is renewed


@dataclass(frozen=True, slots=True)
class Sent:
    """A request to make."""

    method: str
    path: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pause:
    """A time to wait."""

    seconds: float


Move = Generator[Sent | Pause, httpx.Response | None, Any]


def unreachable(error: httpx.HTTPError) -> httpx.Response:
    """What stands for a response when none came."""
    return httpx.Response(_NOBODY, json={"detail": type(error).__name__})


class Moves:
    """One bank's moves, with the token it has."""

    def __init__(
        self, bank: str, secret: str, ring: KeyRing | None, patience: float, *, url: str = "",
        key: HeldKey | None = None,
    ) -> None:  # fmt: skip
        """Nothing is sent yet. With a `key` of the bank's it takes no secret, and tokens are bound to the key."""
        self._bank, self._key, self._url = bank, key, url.rstrip("/")
        self._credentials = (quote_plus(bank), quote_plus(secret))  # RFC 6749 §2.3.1
        self._ring, self._patience = ring, patience
        self._token, self._good_until = "", 0.0

    def score(self, uscc: str, purpose: str, mandate: str) -> Move:
        """One score."""
        body = {"uscc": uscc, "purpose": purpose, "mandate": mandate}
        return (yield from self._post("/v1/scores", body))

    def live(self, uscc: str, purpose: str, mandate: str, features: Mapping[str, float | None], kind: Kind) -> Move:
        """A score with what is brought along."""
        body = {"uscc": uscc, "purpose": purpose, "mandate": mandate, "features": dict(features), "kind": kind}
        return (yield from self._post("/v1/scores/live", body))

    def facts(self, score_id: str, uscc: str) -> Move:
        """The records behind a score."""
        return (yield from self._post("/v1/scores/facts", {"score_id": score_id, "uscc": uscc}))

    def batch(self, asks: Sequence[Ask]) -> Move:
        """Many scores."""
        told = [{"uscc": uscc, "purpose": purpose, "mandate": mandate} for uscc, purpose, mandate in asks]
        return (yield from self._post("/v1/scores/batch", {"asks": told}))["answers"]

    def verify(self, uscc: str, purpose: str, mandate: str, question: str, value: int | str | None) -> Move:
        """One verification."""
        body = {"uscc": uscc, "purpose": purpose, "mandate": mandate, "question": question, "value": value}
        return (yield from self._post("/v1/verifications", body))

    def object_to(self, score_id: str, kind: str, statement: str) -> Move:
        """An objection."""
        return (yield from self._post("/v1/objections", {"score_id": score_id, "kind": kind, "statement": statement}))

    def objection(self, name: str) -> Move:
        """How it stands."""
        return (yield from self._signed("GET", f"/v1/objections/{name}", {}))

    def supervision(self, uscc: str, matter: str) -> Move:
        """A tier, for an agency."""
        return (yield from self._post("/v1/evaluations", {"uscc": uscc, "matter": matter}))

    def query(self, name: str, body: Mapping[str, Any]) -> Move:
        """One page of a list of a subject's records."""
        return (yield from self._post(f"/v1/queries/{name}", body))

    def report(self, uscc: str, asked: Mapping[str, str]) -> Move:
        """A report's bytes and the signature over them."""
        return (yield from self._file(f"/v1/reports/{uscc}", {"params": dict(asked)}))

    def set_webhook(self, url: str) -> Move:
        """Say where this bank is told; the same however often it is said."""
        return (yield from self._signed("PUT", "/v1/webhook", {"json": {"url": url}}))

    def try_webhook(self) -> Move:
        """A trial."""
        return (yield from self._once("/v1/webhook/trial", {}))

    def watch(self, uscc: str, mandate: str, kinds: Sequence[str]) -> Move:
        """A watch."""
        body = {"uscc": uscc, "purpose": "post_loan_management", "mandate": mandate}
        return (yield from self._post("/v1/watches", {**body, **({"kinds": list(kinds)} if kinds else {})}))

    def get(self, path: str, **query: str) -> Move:
        """Whatever can be asked again without harm."""
        return (yield from self._signed("GET", path, {"params": query}))

    def end(self, path: str) -> Move:
        """End a watch or a job; the second time is as the first."""
        return (yield from self._signed("DELETE", path, {}))

    def resend(self, delivery: str) -> Move:
        """A dead letter anew."""
        return (yield from self._once(f"/v1/deliveries/{delivery}/resend", {}))

    def send_job(self, lines: Sequence[Ask]) -> Move:
        """A file of lines. Raises Malformed for a line that would be two."""
        if any("\n" in part or "\r" in part for line in lines for part in line):
            raise Malformed("Not a line of a job", why="it holds a line break", remedy="Leave it out")
        file = io.StringIO()
        csv.writer(file, lineterminator="\n").writerows([HEAD, *lines])
        return (yield from self.send_file(file.getvalue().encode()))

    def send_file(self, file: bytes) -> Move:
        """A file as it is, Parquet or CSV by its first bytes."""
        headers = {"Content-Type": PARQUET if file.startswith(MAGIC) else CSV}
        return (yield from self._once("/v1/jobs", {"content": file, "headers": headers}))

    def job_file(self, job: str, form: FileForm) -> Move:
        """The bytes of the result of a job that is done, and the signature over them."""
        return (yield from self._file(f"/v1/jobs/{job}/result", {"headers": {"Accept": _MEDIA[form]}}))

    def job_result(self, job: str) -> Move:
        """The rows of a job that is done."""
        file, _ = yield from self.job_file(job, "csv")
        return list(csv.DictReader(io.StringIO(file.decode(), newline="")))

    def learn_keys(self) -> Move:
        """Take the service's keys from itself: it is who TLS says it is. From now on every answer is verified."""
        self._ring = ring_of(_told((yield Sent("GET", "/.well-known/jwks.json"))))
        return self._ring

    def ready(self) -> Move:
        """Readiness, as it is now."""
        return _told((yield Sent("GET", "/ready")))

    def _post(self, path: str, body: Mapping[str, Any]) -> Move:
        return (yield from self._once(path, {"json": body}))

    def _once(self, path: str, options: dict[str, Any]) -> Move:
        """What may be done once alone: under one idempotency key, however often it is sent."""
        headers = {**options.get("headers", {}), "Idempotency-Key": secrets.token_hex(16)}
        return (yield from self._signed("POST", path, {**options, "headers": headers}))

    def _signed(self, method: str, path: str, options: dict[str, Any]) -> Move:
        """Send, and take what comes only when the service signed it, where its keys are known."""
        response = yield from self._authorised(method, path, options)
        told = _told(response)
        self._check(response)
        return told

    def _file(self, path: str, options: dict[str, Any]) -> Move:
        """Bytes that are no JSON, and the signature over them: to be kept together."""
        response = yield from self._authorised("GET", path, options)
        if response.status_code != 200:
            _told(response)
        self._check(response)
        return response.content, response.headers.get(HEADER, "")

    def _check(self, response: httpx.Response) -> None:
        if self._ring is not None:
            verify(response.content, response.headers.get(HEADER, ""), self._ring)

    def _authority(self, method: str, path: str) -> dict[str, str]:
        if self._key is None:
            return {"Authorization": f"Bearer {self._token}"}
        proof = self._key.proof(method, self._url + path, self._token)
        return {"Authorization": f"DPoP {self._token}", "DPoP": proof}

    def _authorised(self, method: str, path: str, options: dict[str, Any]) -> Move:
        """Send with a token, a new one when this is refused, and again while patience lasts.

        Nothing is done twice by it: it is a question, it has an idempotency key, or the second time is as the first.
        """
        end, pause, renewed = time.monotonic() + self._patience, 0.1, False
        while True:
            response = yield from self._renew()
            if response is None:
                headers = {**options.get("headers", {}), **self._authority(method, path)}
                response = yield Sent(method, path, {**options, "headers": headers})
                assert response is not None
            if response.status_code == 401 and not renewed:  # the service was given new keys: one new token
                self._token, renewed = "", True
                continue
            wait = max(pause * random.uniform(0.5, 1.5), _after(response))
            if response.status_code not in {_NOBODY, *_AGAIN} or time.monotonic() + wait > end:
                return response
            yield Pause(wait)
            pause *= 2

    def _renew(self) -> Move:
        """Have a token that is good for a while; else the response of who is too busy to give one, or of nobody.

        Raises Unauthenticated when none is given.
        """
        if self._token and time.monotonic() < self._good_until:
            return None
        form = {"grant_type": "client_credentials"}
        sent: dict[str, Any] = {"data": form, "auth": self._credentials}
        if self._key is not None:
            proof = self._key.proof("POST", f"{self._url}/oauth2/token")
            sent = {"data": {**form, **self._key.form(self._bank)}, "headers": {"DPoP": proof}}
        response = yield Sent("POST", "/oauth2/token", sent)
        assert response is not None
        if response.status_code in {_NOBODY, *_AGAIN}:
            return response
        told = _json(response)
        if response.status_code != 200:
            why = str(told.get("error", ""))
            raise Unauthenticated("No token was given", why=why, remedy="Check the bank's name and secret")
        self._token = str(told["access_token"])
        self._good_until = time.monotonic() + int(told["expires_in"]) - _EARLY
        return None


def _after(response: httpx.Response) -> float:
    """The seconds that Retry-After asks for, said as a number or as a time (RFC 9110 §10.2.3); 0 when it says none."""
    told = response.headers.get("Retry-After", "")
    if told.isascii() and told.isdigit():
        return float(told)
    try:
        when = parsedate_to_datetime(told)
    except ValueError:
        return 0.0
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        told = response.json()
    except ValueError:
        told = None
    return told if isinstance(told, dict) else {}


def _told(response: httpx.Response | None) -> dict[str, Any]:
    """The body of a good response; raises the error that another stands for."""
    assert response is not None
    told, status = _json(response), response.status_code
    if status == 200 and told:
        return told
    why, remedy = str(told.get("detail", "")), str(told.get("remedy", ""))
    if status == _NOBODY:
        remedy = "Is it running? Start it with `haihe serve`"
        raise Lapsed("The scoring service cannot be reached", why=why, remedy=remedy)
    what = str(told.get("title") or f"The scoring service answered {status}")
    if status == 429:
        raise TooMany(what, after=max(1, ceil(_after(response))), why=why, remedy=remedy)
    kind = _CLASSES.get(status, Broken)
    if issubclass(kind, Refused):
        raise kind(what, why=why, remedy=remedy, findings=told.get("findings", ()))
    raise kind(what, why=why, remedy=remedy)
