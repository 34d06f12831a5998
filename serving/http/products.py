"""What a bank may ask for, one line each: the path, the scope it takes, what answers it, and what it costs again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from serving.core.service import REPEATED, Call, Desk
from serving.endpoints.inquiries.facts import answer_facts
from serving.endpoints.inquiries.queries import HANDLERS
from serving.endpoints.objections.objections import object_to
from serving.endpoints.scores.batch import batch, batch_again
from serving.endpoints.scores.live import check_live, live
from serving.endpoints.scores.verifications import check_verification, verify
from serving.endpoints.supervision.supervision import supervise
from serving.errors import LARGEST_BODY
from serving.idempotency.recovery import Again, as_it_was, if_allowed, if_same
from serving.responses.request_schemas import read_score_request


class Bounds(NamedTuple):
    """Of a body: bytes at most, seconds within which it has to have arrived, and the id of the error if it has not."""

    most: int = LARGEST_BODY
    seconds: float = 10
    late: str = "errors.body-did-not-arrive"


BODY = Bounds()


@dataclass(frozen=True, slots=True)
class Product:
    """A product: `handle` gives the body of an answer whose entry is durable.

    `again` is what a repetition under an idempotency key goes through: what is told now, and what is remembered from
    now on; None when it has to be answered as a new one. It raises unless the call would be allowed now. Without one,
    the product takes no idempotency key. What `makes` something names it after the call's id, and finds it by that;
    when it `lasts`, its key is on the disk before it is made, and survives a power cut.
    """

    path: str
    scope: str
    handle: Callable[[Desk, Call, bytes], Awaitable[bytes]]
    again: Again | None = None
    makes: bool = False
    lasts: bool = False
    repeated: str = REPEATED  # the verb of a repetition's entry
    bounds: Bounds = BODY


async def score(desk: Desk, call: Call, body: bytes) -> bytes:
    """One subject's score."""
    return await desk.answer(call, read_score_request(body))


PRODUCTS = {
    product.path: product
    for product in (
        Product(
            "/v1/scores", "score", score, if_allowed(lambda desk, call, body: desk.find(call, read_score_request(body)))
        ),
        Product("/v1/scores/live", "live", live, if_allowed(check_live)),
        Product("/v1/scores/batch", "batch", batch, batch_again, makes=True),
        Product("/v1/verifications", "verify", verify, if_allowed(check_verification)),
        Product(
            "/v1/objections", "object", object_to, as_it_was, makes=True, lasts=True, repeated="objection.repeated"
        ),
        *(
            Product(path, "query", handle, if_same(handle), repeated="query.repeated")
            for path, handle in HANDLERS.items()
        ),
        Product("/v1/scores/facts", "facts", answer_facts, if_same(answer_facts), repeated="facts.repeated"),
        Product("/v1/evaluations", "supervise", supervise, if_same(supervise), repeated="supervision.repeated"),
    )
}
