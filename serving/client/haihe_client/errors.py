"""The errors of the client. Catch :class:`HaiheError` for all of them.

    HaiheError
    ├── ConnectionFailed          no answer arrived: retried for as long as the client's patience lasts
    ├── StatusError               the service answered with a refusal (RFC 9457)
    │   ├── AuthenticationError   401, or no token was granted
    │   ├── PermissionDeniedError 403: no mandate for this bank, subject, purpose and day; `findings` say which check
    │   ├── NotFoundError         404
    │   ├── InvalidRequestError   400, 409, 413, 415, 422
    │   ├── RateLimitError        429: `retry_after` seconds; retried
    │   ├── UnavailableError      408, 502, 503, 504: `retry_after` seconds; retried
    │   └── ServiceFaultError     any other status: a fault of the service
    ├── VerificationError         a signature does not verify: do not use what arrived
    │   └── WebhookRepeated       the webhook was received before: answer it with 200 and do nothing
    └── RequestNotSent            the arguments cannot be sent

A message never repeats what was sent; `title`, `detail` and `remedy` are the service's words, in the client's language.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx


class HaiheError(Exception):
    """Any error of this library."""


class ConnectionFailed(HaiheError):
    """The service could not be reached, or the connection broke before the answer."""


class RequestNotSent(HaiheError):
    """The arguments cannot be made into a request."""


class VerificationError(HaiheError):
    """A signature does not verify."""


class WebhookRepeated(VerificationError):
    """The same webhook was received before."""


class StatusError(HaiheError):
    """A refusal by the service."""

    def __init__(self, response: httpx.Response) -> None:
        """Read the problem document of the response, when it has one."""
        problem = _problem(response)
        self.status = response.status_code
        self.type = str(problem.get("type", "about:blank"))
        self.title = str(problem.get("title") or problem.get("error") or f"HTTP {response.status_code}")
        self.detail = str(problem.get("detail") or problem.get("error_description") or "")
        self.remedy = str(problem.get("remedy", ""))
        findings = problem.get("findings", ())
        self.findings: tuple[Mapping[str, Any], ...] = tuple(findings) if isinstance(findings, list) else ()
        self.score_id = str(problem.get("score_id", ""))  # the id of the refused call in the service's ledger
        self.request_id = response.headers.get("X-Request-Id", "")
        self.retry_after = _retry_after(response)
        super().__init__(": ".join(filter(None, (self.title, self.detail))))


class AuthenticationError(StatusError):
    """The token or the credentials are not accepted."""


class PermissionDeniedError(StatusError):
    """The request is understood and not permitted."""


class NotFoundError(StatusError):
    """There is no such subject, watch, job or other thing."""


class InvalidRequestError(StatusError):
    """The request cannot be read, or says something that cannot be."""


class RateLimitError(StatusError):
    """There were more requests than the quota allows."""


class UnavailableError(StatusError):
    """The service cannot answer now."""


class ServiceFaultError(StatusError):
    """A fault of the service: nothing was answered."""


_CLASSES: Mapping[int, type[StatusError]] = {
    **dict.fromkeys((400, 409, 413, 415, 422), InvalidRequestError),
    **dict.fromkeys((408, 502, 503, 504), UnavailableError),
    401: AuthenticationError, 403: PermissionDeniedError, 404: NotFoundError, 429: RateLimitError,
}  # fmt: skip


def status_error(response: httpx.Response) -> StatusError:
    """The error that a response stands for, by its status."""
    return _CLASSES.get(response.status_code, ServiceFaultError)(response)


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _retry_after(response: httpx.Response) -> float:
    """The seconds in the header Retry-After, a number or a date (RFC 9110 §10.2.3); 0 when there is none."""
    value = response.headers.get("Retry-After", "")
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        time_given = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return max(0.0, (time_given.replace(tzinfo=time_given.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
