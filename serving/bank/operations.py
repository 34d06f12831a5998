"""What a bank's client may do, each a move: what is sent, and what is made of what comes."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from credit.errors import Malformed
from serving.audit.signatures import ring_of
from serving.bank.transport import Operation, OutgoingRequest, Transport, read_response
from serving.responses.job_columns import CSV, INPUT_COLUMNS, PARQUET, PARQUET_MAGIC

BatchItem = tuple[str, str, str]  # uscc, purpose, mandate
Question = Literal["points_at_least", "grade_at_least", "points_within"]
Kind = Literal["fused", "what_if"]  # of a live score
FileForm = Literal["csv", "parquet"]  # of a job's file
_MEDIA: Mapping[FileForm, str] = {"csv": CSV, "parquet": PARQUET}


class Operations(Transport):
    """One bank's moves."""

    def score(self, uscc: str, purpose: str, mandate: str) -> Operation:
        """One score."""
        body = {"uscc": uscc, "purpose": purpose, "mandate": mandate}
        return (yield from self._post("/v1/scores", body))

    def live(
        self, uscc: str, purpose: str, mandate: str, features: Mapping[str, float | None], kind: Kind
    ) -> Operation:
        """A score with what is brought along."""
        body = {"uscc": uscc, "purpose": purpose, "mandate": mandate, "features": dict(features), "kind": kind}
        return (yield from self._post("/v1/scores/live", body))

    def facts(self, score_id: str, uscc: str) -> Operation:
        """The records behind a score."""
        return (yield from self._post("/v1/scores/facts", {"score_id": score_id, "uscc": uscc}))

    def batch(self, asks: Sequence[BatchItem]) -> Operation:
        """Many scores."""
        told = [{"uscc": uscc, "purpose": purpose, "mandate": mandate} for uscc, purpose, mandate in asks]
        return (yield from self._post("/v1/scores/batch", {"asks": told}))["answers"]

    def verify(self, uscc: str, purpose: str, mandate: str, question: str, value: int | str | None) -> Operation:
        """One verification."""
        body = {"uscc": uscc, "purpose": purpose, "mandate": mandate, "question": question, "value": value}
        return (yield from self._post("/v1/verifications", body))

    def object_to(self, score_id: str, kind: str, statement: str) -> Operation:
        """An objection."""
        return (yield from self._post("/v1/objections", {"score_id": score_id, "kind": kind, "statement": statement}))

    def objection(self, name: str) -> Operation:
        """How it stands."""
        return (yield from self.signed("GET", f"/v1/objections/{name}", {}))

    def supervision(self, uscc: str, matter: str) -> Operation:
        """A tier, for an agency."""
        return (yield from self._post("/v1/evaluations", {"uscc": uscc, "matter": matter}))

    def query(self, name: str, body: Mapping[str, Any]) -> Operation:
        """One page of a list of a subject's records."""
        return (yield from self._post(f"/v1/queries/{name}", body))

    def report(self, uscc: str, asked: Mapping[str, str]) -> Operation:
        """A report's bytes and the signature over them."""
        return (yield from self.signed_file(f"/v1/reports/{uscc}", {"params": dict(asked)}))

    def set_webhook(self, url: str) -> Operation:
        """Say where this bank is told; the same however often it is said."""
        return (yield from self.signed("PUT", "/v1/webhook", {"json": {"url": url}}))

    def try_webhook(self) -> Operation:
        """A trial."""
        return (yield from self._once("/v1/webhook/trial", {}))

    def watch(self, uscc: str, mandate: str, kinds: Sequence[str]) -> Operation:
        """A watch."""
        body = {"uscc": uscc, "purpose": "post_loan_management", "mandate": mandate}
        return (yield from self._post("/v1/watches", {**body, **({"kinds": list(kinds)} if kinds else {})}))

    def get(self, path: str, **query: str) -> Operation:
        """Whatever can be asked again without harm."""
        return (yield from self.signed("GET", path, {"params": query}))

    def end(self, path: str) -> Operation:
        """End a watch or a job; the second time is as the first."""
        return (yield from self.signed("DELETE", path, {}))

    def resend(self, delivery: str) -> Operation:
        """A dead letter anew."""
        return (yield from self._once(f"/v1/deliveries/{delivery}/resend", {}))

    def send_job(self, lines: Sequence[BatchItem]) -> Operation:
        """A file of lines. Raises Malformed for a line that would be two."""
        if any("\n" in part or "\r" in part for line in lines for part in line):
            raise Malformed("operations.not-line-job")
        file = io.StringIO()
        csv.writer(file, lineterminator="\n").writerows([INPUT_COLUMNS, *lines])
        return (yield from self.send_file(file.getvalue().encode()))

    def send_file(self, file: bytes) -> Operation:
        """A file as it is, Parquet or CSV by its first bytes."""
        headers = {"Content-Type": PARQUET if file.startswith(PARQUET_MAGIC) else CSV}
        return (yield from self._once("/v1/jobs", {"content": file, "headers": headers}))

    def job_file(self, job: str, form: FileForm) -> Operation:
        """The bytes of the result of a job that is done, and the signature over them."""
        return (yield from self.signed_file(f"/v1/jobs/{job}/result", {"headers": {"Accept": _MEDIA[form]}}))

    def job_result(self, job: str) -> Operation:
        """The rows of a job that is done."""
        file, _ = yield from self.job_file(job, "csv")
        return list(csv.DictReader(io.StringIO(file.decode(), newline="")))

    def learn_keys(self) -> Operation:
        """Take the service's keys from itself: it is who TLS says it is. From now on every answer is verified."""
        self.ring = ring_of(read_response((yield OutgoingRequest("GET", "/.well-known/jwks.json"))))
        return self.ring

    def ready(self) -> Operation:
        """Readiness, as it is now."""
        return read_response((yield OutgoingRequest("GET", "/ready")))

    def _post(self, path: str, body: Mapping[str, Any]) -> Operation:
        return (yield from self._once(path, {"json": body}))

    def _once(self, path: str, options: dict[str, Any]) -> Operation:
        """What may be done once alone: under one idempotency key, however often it is sent."""
        headers = {**options.get("headers", {}), "Idempotency-Key": secrets.token_hex(16)}
        return (yield from self.signed("POST", path, {**options, "headers": headers}))
