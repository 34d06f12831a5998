"""The client library of the Haihe credit scoring service (海河信用评分服务), for banks and agencies.

    with ServiceClient("https://credit.example", "harbour-bank", secret) as bank:
        bank.learn_keys()
        score = bank.score(uscc, "credit_granting", mandate)
        print(score["points"], score["grade"], [reason["en"] for reason in score["reasons"]])

`AsyncServiceClient` has the same methods, awaited. The errors are drawn in :mod:`haihe_client.errors`.
"""

from haihe_client.calls import Call
from haihe_client.client import AsyncServiceClient, ServiceClient
from haihe_client.client_key import ClientKey
from haihe_client.endpoints import BatchItem, FileForm, LiveKind, Question
from haihe_client.errors import (
    AuthenticationError,
    ConnectionFailed,
    HaiheError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestNotSent,
    ServiceFaultError,
    StatusError,
    UnavailableError,
    VerificationError,
    WebhookRepeated,
)
from haihe_client.signatures import ServiceKeys
from haihe_client.token_auth import TokenAuth
from haihe_client.webhooks import WebhookVerifier

__all__ = [
    "AsyncServiceClient",
    "AuthenticationError",
    "BatchItem",
    "Call",
    "ClientKey",
    "ConnectionFailed",
    "FileForm",
    "HaiheError",
    "InvalidRequestError",
    "LiveKind",
    "NotFoundError",
    "PermissionDeniedError",
    "Question",
    "RateLimitError",
    "RequestNotSent",
    "ServiceClient",
    "ServiceFaultError",
    "ServiceKeys",
    "StatusError",
    "TokenAuth",
    "UnavailableError",
    "VerificationError",
    "WebhookRepeated",
    "WebhookVerifier",
]  # fmt: skip
