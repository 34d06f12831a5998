"""The banks' client library on the command line: its errors as errors of the house, and the reader's language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import ceil
from typing import Literal

from haihe_client import errors

from credit.errors import Broken, CreditError, Lapsed, Malformed, Missing, Refused, Unauthenticated
from credit.messages import Text, language_here
from serving.errors import TooMany

_CLASSES: Mapping[type[errors.StatusError], type[CreditError]] = {
    errors.AuthenticationError: Unauthenticated,
    errors.NotFoundError: Missing,
    errors.InvalidRequestError: Malformed,
    errors.UnavailableError: Lapsed,
}


def client_language() -> Literal["en", "zh"]:
    """The language of the person who started this process, as the client library names it."""
    return "zh" if language_here() == "zh" else "en"


@contextmanager
def service_errors() -> Iterator[None]:
    """Raise the error of the house for one of the client library."""
    try:
        yield
    except errors.ConnectionFailed as failed:
        why = Text.verbatim(type(failed.__cause__).__name__)
        raise Lapsed("client-errors.service-cannot-be-reached", why=why) from failed
    except errors.StatusError as refused:
        raise _translated(refused) from refused
    except errors.VerificationError as wrong:
        raise Broken("client-errors.answer-not-verified", why=Text.verbatim(str(wrong))) from wrong


def _translated(refused: errors.StatusError) -> CreditError:
    title, why, remedy = (Text.verbatim(text) for text in (refused.title, refused.detail, refused.remedy))
    if isinstance(refused, errors.RateLimitError):
        return TooMany(title, after=max(1, ceil(refused.retry_after)), why=why, remedy=remedy)
    if isinstance(refused, errors.PermissionDeniedError):
        return Refused(title, why=why, remedy=remedy, findings=refused.findings)
    return _CLASSES.get(type(refused), Broken)(title, why=why, remedy=remedy)
