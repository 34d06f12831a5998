"""What a bank may ask for, one line each: the path, the scope it takes, what answers it, and what it costs again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from serving.answers.forms import read_ask
from serving.calls import Call, Desk
from serving.inquiry.facts import tell_facts
from serving.inquiry.queries import HANDLERS
from serving.inquiry.supervision import supervise
from serving.products.batches import batch
from serving.products.live import check as check_live
from serving.products.live import live
from serving.products.objections import object_to
from serving.products.verifications import check, verify


@dataclass(frozen=True, slots=True)
class Product:
    """A product: `handle` gives the body of an answer whose entry is durable.

    `check` raises unless the call would be allowed now; it is what a repetition under an idempotency key goes through.
    Without one, the product takes no idempotency key.
    """

    path: str
    scope: str
    handle: Callable[[Desk, Call, bytes], Awaitable[bytes]]
    check: Callable[[Desk, Call, bytes], object] | None = None


async def score(desk: Desk, call: Call, body: bytes) -> bytes:
    """One subject's score."""
    return await desk.answer(call, read_ask(body))


PRODUCTS = {
    product.path: product
    for product in (
        Product("/v1/scores", "score", score, lambda desk, call, body: desk.find(call, read_ask(body))),
        Product("/v1/scores/live", "live", live, check_live),
        Product("/v1/scores/batch", "batch", batch),
        Product("/v1/verifications", "verify", verify, check),
        Product("/v1/objections", "object", object_to),
        *(Product(path, "query", handle) for path, handle in HANDLERS.items()),
        Product("/v1/scores/facts", "facts", tell_facts),
        Product("/v1/evaluations", "supervise", supervise),
    )
}
