"""The operations of a bank's client: the request that each sends, and the result that it makes of the response."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from credit.errors import Malformed
from serving.audit.signatures import ring_of
from serving.bank.deprecated import renamed_attribute
from serving.bank.transport import Operation, OutgoingRequest, Transport, read_response
from serving.responses.job_columns import CSV, INPUT_COLUMNS, PARQUET, PARQUET_MAGIC

BatchItem = tuple[str, str, str]  # code, purpose, mandate id
Question = Literal["points_at_least", "grade_at_least", "points_within"]
Kind = Literal["fused", "what_if"]  # of a live score
FileForm = Literal["csv", "parquet"]  # of a job's file
_MEDIA: Mapping[FileForm, str] = {"csv": CSV, "parquet": PARQUET}


class Operations(Transport):
    """The operations of one bank's client."""

    def score(self, uscc: str, purpose: str, mandate: str) -> Operation:
        """Request one score."""
        body = {"uscc": uscc, "purpose": purpose, "mandate": mandate}
        return (yield from self._post("/v1/scores", body))

    def live(
        self, uscc: str, purpose: str, mandate: str, features: Mapping[str, float | None], kind: Kind
    ) -> Operation:
        """Request a score with supplied values."""
        body = {"uscc": uscc, "purpose": purpose, "mandate": mandate, "features": dict(features), "kind": kind}
        return (yield from self._post("/v1/scores/live", body))

    def facts(self, score_id: str, uscc: str) -> Operation:
        """Request the records behind a score."""
        return (yield from self._post("/v1/scores/facts", {"score_id": score_id, "uscc": uscc}))

    def batch(self, requests: Sequence[BatchItem]) -> Operation:
        """Request many scores."""
        body = [{"uscc": uscc, "purpose": purpose, "mandate": mandate} for uscc, purpose, mandate in requests]
        return (yield from self._post("/v1/scores/batch", {"asks": body}))["answers"]

    def verify(self, uscc: str, purpose: str, mandate: str, question: str, value: int | str | None) -> Operation:
        """Request one verification."""
        body = {"uscc": uscc, "purpose": purpose, "mandate": mandate, "question": question, "value": value}
        return (yield from self._post("/v1/verifications", body))

    def object_to(self, score_id: str, kind: str, statement: str) -> Operation:
        """File an objection."""
        return (yield from self._post("/v1/objections", {"score_id": score_id, "kind": kind, "statement": statement}))

    def objection(self, name: str) -> Operation:
        """Request the status of an objection."""
        return (yield from self.signed("GET", f"/v1/objections/{name}", {}))

    def supervision(self, uscc: str, matter: str) -> Operation:
        """Request a subject's tier, for an agency."""
        return (yield from self._post("/v1/evaluations", {"uscc": uscc, "matter": matter}))

    def query(self, name: str, body: Mapping[str, Any]) -> Operation:
        """Request one page of a list of a subject's records."""
        return (yield from self._post(f"/v1/queries/{name}", body))

    def report(self, uscc: str, parameters: Mapping[str, str]) -> Operation:
        """Request a report: its bytes and the signature over them."""
        return (yield from self.signed_file(f"/v1/reports/{uscc}", {"params": dict(parameters)}))

    def set_webhook(self, url: str) -> Operation:
        """Set this bank's webhook address; repeating the request changes nothing."""
        return (yield from self.signed("PUT", "/v1/webhook", {"json": {"url": url}}))

    def try_webhook(self) -> Operation:
        """Request a trial webhook."""
        return (yield from self._once("/v1/webhook/trial", {}))

    def watch(self, uscc: str, mandate: str, kinds: Sequence[str]) -> Operation:
        """Begin a watch."""
        body = {"uscc": uscc, "purpose": "post_loan_management", "mandate": mandate}
        return (yield from self._post("/v1/watches", {**body, **({"kinds": list(kinds)} if kinds else {})}))

    def get(self, path: str, **query: str) -> Operation:
        """Send a GET request, which may be repeated without effect."""
        return (yield from self.signed("GET", path, {"params": query}))

    def end(self, path: str) -> Operation:
        """End a watch or a job; repeating the request changes nothing."""
        return (yield from self.signed("DELETE", path, {}))

    def resend(self, delivery: str) -> Operation:
        """Retry a dead delivery."""
        return (yield from self._once(f"/v1/deliveries/{delivery}/resend", {}))

    def send_job(self, lines: Sequence[BatchItem]) -> Operation:
        """Send a job's lines as CSV. Raises Malformed for a field with a line break."""
        if any("\n" in field or "\r" in field for line in lines for field in line):
            raise Malformed("operations.not-line-job")
        file = io.StringIO()
        csv.writer(file, lineterminator="\n").writerows([INPUT_COLUMNS, *lines])
        return (yield from self.send_file(file.getvalue().encode()))

    def send_file(self, file: bytes) -> Operation:
        """Send a job's file as it is; the first bytes say whether it is Parquet or CSV."""
        headers = {"Content-Type": PARQUET if file.startswith(PARQUET_MAGIC) else CSV}
        return (yield from self._once("/v1/jobs", {"content": file, "headers": headers}))

    def job_file(self, job: str, form: FileForm) -> Operation:
        """Request the result of a finished job: its bytes and the signature over them."""
        return (yield from self.signed_file(f"/v1/jobs/{job}/result", {"headers": {"Accept": _MEDIA[form]}}))

    def job_result(self, job: str) -> Operation:
        """Request the rows of a finished job's result."""
        file, _ = yield from self.job_file(job, "csv")
        return list(csv.DictReader(io.StringIO(file.decode(), newline="")))

    def learn_keys(self) -> Operation:
        """Request the service's public keys and verify every later answer with them. TLS alone identifies the
        service here.
        """
        self.ring = ring_of(read_response((yield OutgoingRequest("GET", "/.well-known/jwks.json"))))
        return self.ring

    def ready(self) -> Operation:
        """Request the readiness of the service."""
        return read_response((yield OutgoingRequest("GET", "/ready")))

    def _post(self, path: str, body: Mapping[str, Any]) -> Operation:
        return (yield from self._once(path, {"json": body}))

    def _once(self, path: str, options: dict[str, Any]) -> Operation:
        """Send a POST under one idempotency key, so that the service carries it out once however often it is sent."""
        headers = {**options.get("headers", {}), "Idempotency-Key": secrets.token_hex(16)}
        return (yield from self.signed("POST", path, {**options, "headers": headers}))


def __getattr__(name: str) -> Any:
    """Old names of this module."""
    return renamed_attribute(__name__, name, {"Ask": ("BatchItem", BatchItem), "Moves": ("Operations", Operations)})
