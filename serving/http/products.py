"""A product: a POST that banks send often, with its path, its scope, its handler, and how it answers a repetition."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple

from serving.core.recovery import Handler, RepeatHandler
from serving.core.request import REPEATED, RequestContext
from serving.errors import LARGEST_BODY

IDEMPOTENCY_KEY = {  # the parameter of a POST in the OpenAPI document
    "name": "Idempotency-Key", "in": "header", "required": False,
    "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
    "description": "the same key and body are done once and give one answer for a day; another body is refused (422)",
}  # fmt: skip


class BodyLimits(NamedTuple):
    """Limits of a body: bytes, seconds within which it must arrive, and the id of the error when it does not."""

    most: int = LARGEST_BODY
    seconds: float = 10
    late: str = "errors.body-did-not-arrive"


DEFAULT_LIMITS = BodyLimits()


Reserve = Callable[[RequestContext], AbstractContextManager[None]]  # raises when there is no place


def no_reservation(call: RequestContext) -> AbstractContextManager[None]:
    """Reserve nothing: a short body needs no place of its own."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Product:
    """A product: `handle` returns the body of an answer whose ledger entry is durable.

    `again` handles a repetition under an idempotency key, given what was stored: it returns the answer to send now and
    the answer to store from now on, or None when the request has to be answered as a new one, and it raises unless the
    request would be allowed now. A product without it takes no idempotency key. `makes`: the product creates a
    resource, which it names after the request's id and finds by that name. `lasts`: the idempotency key is on the disk
    before the resource is created, so that it survives a power cut. `remade`: an answer is stored as its receipt, from
    which `again` makes it.
    """

    path: str
    scope: str
    handle: Handler
    again: RepeatHandler | None = None
    makes: bool = False
    lasts: bool = False
    remade: bool = False
    repeated: str = REPEATED  # the ledger verb of a repetition
    bounds: BodyLimits = DEFAULT_LIMITS
    reserve: Reserve = no_reservation  # entered before the body is read, and left when the request has ended
