"""The endpoints of the service, each stated once for both clients."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, cast

import httpx

from haihe_client import results
from haihe_client.calls import Call, Endpoint, get, json_of, once, post
from haihe_client.errors import RequestNotSent
from haihe_client.signatures import HEADER, ServiceKeys
from haihe_client.texts import text

BatchItem = tuple[str, str, str]  # code, purpose, id of the mandate
Evidence = Literal["consent", "document", "page"]
ApplicationItem = tuple[str, str, str, Evidence, str | bytes]  # code, purpose, last day, evidence, its content
Question = Literal["points_at_least", "grade_at_least", "points_within"]
LiveKind = Literal["fused", "what_if"]
FileForm = Literal["csv", "parquet"]  # of a job's file
_MEDIA: Mapping[FileForm, str] = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
_COLUMNS = ("uscc", "purpose", "mandate")


class ServiceEndpoints:
    """What a bank or an agency may request. Each raises the StatusError of the service's refusal."""

    @Endpoint
    def score(self, uscc: str, purpose: str, mandate: str) -> Call[results.Score]:
        """The score of one subject."""
        return post("/v1/scores", {"uscc": uscc, "purpose": purpose, "mandate": mandate})

    @Endpoint
    def live(
        self, uscc: str, purpose: str, mandate: str, features: Mapping[str, float | None], kind: LiveKind = "fused"
    ) -> Call[results.LiveScore]:
        """A score with values that you supply, `None` where you know that there is none; or a trial (`what_if`)."""
        body = {"uscc": uscc, "purpose": purpose, "mandate": mandate, "features": dict(features), "kind": kind}
        return post("/v1/scores/live", body)

    @Endpoint
    def facts(self, score_id: str, uscc: str) -> Call[results.Facts]:
        """The records behind the reasons of a score that you received."""
        return post("/v1/scores/facts", {"score_id": score_id, "uscc": uscc})

    @Endpoint
    def batch(self, requests: Sequence[BatchItem]) -> Call[list[results.Part]]:
        """Up to 1,000 `(uscc, purpose, mandate)`: one part per request, with `status`, and `answer` or `problem`."""
        items = [dict(zip(_COLUMNS, item, strict=True)) for item in requests]
        return post("/v1/scores/batch", {"asks": items}, _field("answers"))

    @Endpoint
    def verify(
        self, uscc: str, purpose: str, mandate: str, question: Question, value: int | str | None = None
    ) -> Call[bool | results.Band]:
        """True, False, or a band `{"from", "below"}` of points, where you do not need the score itself."""
        body = {"uscc": uscc, "purpose": purpose, "mandate": mandate, "question": question, "value": value}
        return post("/v1/verifications", body, _field("answer"))

    @Endpoint
    def object_to(self, score_id: str, kind: str, statement: str) -> Call[results.Objection]:
        """File a subject's objection (异议); `kind` is explanation, correction or human_review."""
        return post("/v1/objections", {"score_id": score_id, "kind": kind, "statement": statement})

    @Endpoint
    def objection(self, name: str) -> Call[results.ObjectionStatus]:
        """The status of an objection."""
        return get(f"/v1/objections/{name}")

    @Endpoint
    def report_outcomes(self, outcomes: Sequence[Mapping[str, Any]]) -> Call[results.OutcomesReceived]:
        """Report up to 1,000 events of loans, each with code, purpose, mandate, loan, event and day."""
        return post("/v1/outcomes", {"outcomes": [dict(one) for one in outcomes]})

    @Endpoint
    def supervision(self, uscc: str, matter: str) -> Call[results.Supervision]:
        """For agencies: a subject's tier and rate of inspection, in the matter named."""
        return post("/v1/evaluations", {"uscc": uscc, "matter": matter})

    @Endpoint
    def query(
        self, name: str, uscc: str, purpose: str = "", mandate: str = "", *, page: int = 1, size: int = 20
    ) -> Call[results.QueryPage]:
        """A page of a list such as `penalties`."""
        body = {"uscc": uscc, "purpose": purpose, "mandate": mandate, "page": page, "size": size}
        return post(f"/v1/queries/{name}", body)

    @Endpoint
    def report(self, uscc: str, form: str = "pdf", purpose: str = "", mandate: str = "") -> Call[results.SignedFile]:
        """A public credit report as pdf, html or json."""
        return get(f"/v1/reports/{uscc}", _file_of, format=form, purpose=purpose, mandate=mandate)

    @Endpoint
    def webhook(self) -> Call[results.Webhook]:
        """The address to which this bank's webhooks are sent."""
        return get("/v1/webhook")

    @Endpoint
    def set_webhook(self, url: str, *, new_secret: bool = False) -> Call[results.WebhookSet]:
        """Set the address to which this bank's webhooks are sent; gives the secret that verifies them (`v1`)."""
        body = {"url": url, **({"new_secret": True} if new_secret else {})}
        return Call("PUT", "/v1/webhook", json_of, {"json": body})

    @Endpoint
    def try_webhook(self) -> Call[results.WebhookTrial]:
        """Have a trial webhook sent at once; gives its outcome."""
        return once("/v1/webhook/trial", {})

    @Endpoint
    def watch(self, uscc: str, mandate: str, kinds: Sequence[str] = ()) -> Call[results.OpenedWatch]:
        """Watch a subject under a mandate for post_loan_management."""
        body = {"uscc": uscc, "purpose": "post_loan_management", "mandate": mandate}
        return post("/v1/watches", {**body, **({"kinds": list(kinds)} if kinds else {})})

    @Endpoint
    def watches(self) -> Call[list[results.Watch]]:
        """This bank's active watches."""
        return get("/v1/watches", _field("watches"))

    @Endpoint
    def end_watch(self, watch: str) -> Call[results.Watch]:
        """End a watch."""
        return Call("DELETE", f"/v1/watches/{watch}", json_of)

    @Endpoint
    def deliveries(self, status: str = "dead") -> Call[list[results.Delivery]]:
        """The deliveries of this bank's webhooks with a status: waiting, delivered, dead or withdrawn."""
        return get("/v1/deliveries", _field("deliveries"), status=status)

    @Endpoint
    def resend(self, delivery: str) -> Call[results.Resent]:
        """Retry a dead delivery."""
        return once(f"/v1/deliveries/{delivery}/resend", {})

    @Endpoint
    def request_mandate(
        self, uscc: str, purpose: str, until: str, evidence: Evidence = "page", content: str | bytes = ""
    ) -> Call[results.Application]:
        """Request a mandate until the day `until` (ISO 8601): with a signed consent (JWS), a document (bytes), or so
        that the subject confirms it on its own page.
        """
        return post("/v1/mandates", _application(uscc, purpose, until, evidence, content))

    @Endpoint
    def request_mandates(self, applications: Sequence[ApplicationItem]) -> Call[results.ApplicationBatch]:
        """Request up to 1,000 mandates, each `(uscc, purpose, until, evidence, content)`."""
        return post("/v1/mandates/batch", {"applications": [_application(*item) for item in applications]})

    @Endpoint
    def mandates(self, *, state: str = "", before: str = "", limit: int = 50) -> Call[results.ApplicationPage]:
        """A page of this bank's mandates and applications, the newest first; `next` is `before` of the next page."""
        chosen = {name: value for name, value in (("state", state), ("before", before)) if value}
        return Call("GET", "/v1/mandates", json_of, {"params": {"limit": limit, **chosen}})

    @Endpoint
    def mandate(self, application: str) -> Call[results.ApplicationStatus]:
        """How far an application is, and the mandate that it led to."""
        return get(f"/v1/mandates/{application}")

    @Endpoint
    def end_mandate(self, application: str) -> Call[results.ApplicationStatus]:
        """Withdraw an application that waits, or give its mandate back."""
        return Call("DELETE", f"/v1/mandates/{application}", json_of)

    @Endpoint
    def send_job(self, lines: Sequence[BatchItem]) -> Call[results.Job]:
        """Send up to 100,000 `(uscc, purpose, mandate)`, to be scored in the background.

        Raises RequestNotSent for a field with a line break.
        """
        if any("\n" in field or "\r" in field for line in lines for field in line):
            raise RequestNotSent(text("line-break"))
        file = io.StringIO()
        csv.writer(file, lineterminator="\n").writerows([_COLUMNS, *lines])
        return _job_call(file.getvalue().encode())

    @Endpoint
    def send_file(self, file: bytes) -> Call[results.Job]:
        """Send a file as it is, CSV or Parquet with the columns `uscc`, `purpose` and `mandate`."""
        return _job_call(file)

    @Endpoint
    def jobs(self) -> Call[list[results.Job]]:
        """This bank's jobs, the newest first."""
        return get("/v1/jobs", _field("jobs"))

    @Endpoint
    def job(self, job: str) -> Call[results.Job]:
        """A job's progress."""
        return get(f"/v1/jobs/{job}")

    @Endpoint
    def job_result(self, job: str) -> Call[list[dict[str, str]]]:
        """The rows of a finished job, with the column names of its CSV."""
        return Call("GET", f"/v1/jobs/{job}/result", _rows_of, {"headers": {"Accept": _MEDIA["csv"]}})

    @Endpoint
    def job_file(self, job: str, form: FileForm = "parquet") -> Call[results.SignedFile]:
        """The result of a finished job as a file."""
        return Call("GET", f"/v1/jobs/{job}/result", _file_of, {"headers": {"Accept": _MEDIA[form]}})

    @Endpoint
    def end_job(self, job: str) -> Call[results.Job]:
        """Stop a job, or discard a finished one: its files are deleted."""
        return Call("DELETE", f"/v1/jobs/{job}", json_of)

    @Endpoint
    def service_keys(self) -> Call[ServiceKeys]:
        """The service's public keys, as it sends them: TLS alone identifies the service here."""
        return Call("GET", "/.well-known/jwks.json", lambda answer: ServiceKeys.of_jwks(answer.json()),
                    is_authorised=False)  # fmt: skip

    @Endpoint
    def ready(self) -> Call[results.Readiness]:
        """The service's readiness. Raises UnavailableError when it is not ready."""
        return Call("GET", "/ready", json_of, is_authorised=False)


def _application(uscc: str, purpose: str, until: str, evidence: Evidence, content: str | bytes) -> dict[str, str]:
    text = base64.b64encode(content).decode() if isinstance(content, bytes) else content
    body = {"uscc": uscc, "purpose": purpose, "until": until, "evidence": evidence}
    return {**body, "content": text} if text else body


def _job_call(file: bytes) -> Call[results.Job]:
    """Send a job's file; the first bytes say whether it is Parquet or CSV."""
    media = _MEDIA["parquet" if file.startswith(b"PAR1") else "csv"]
    return once("/v1/jobs", {"content": file, "headers": {"Content-Type": media}})


def _field(name: str) -> Callable[[httpx.Response], Any]:
    """Reads one field of a JSON answer."""
    return lambda response: response.json()[name]


def _file_of(response: httpx.Response) -> results.SignedFile:
    return results.SignedFile(response.content, response.headers.get(HEADER, ""))


def _rows_of(response: httpx.Response) -> list[dict[str, str]]:
    return cast("list[dict[str, str]]", list(csv.DictReader(io.StringIO(response.content.decode(), newline=""))))
