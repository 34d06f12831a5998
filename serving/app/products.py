"""The products of the service, by path: one line per product with its scope, its handler and its repetition rule."""

from __future__ import annotations

from collections.abc import Mapping

from serving.core.recovery import make_again, repeat_unchanged
from serving.core.request import ANSWERED, RequestContext
from serving.core.service import ScoringService
from serving.endpoints.inquiries.facts import answer_facts
from serving.endpoints.inquiries.queries import HANDLERS
from serving.endpoints.objections.objections import object_to
from serving.endpoints.scores.batch import batch, batch_again
from serving.endpoints.scores.live import live
from serving.endpoints.scores.verifications import verify
from serving.endpoints.supervision.supervision import supervise
from serving.http.products import Product
from serving.responses.request_schemas import read_score_request


async def score(service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """Answer with the score of one subject. Raises as `ScoringService.answer` does."""
    return await service.record_filled(ANSWERED, call, service.prepare_answer(call, read_score_request(body)))


PRODUCTS: Mapping[str, Product] = {
    product.path: product
    for product in (
        Product("/v1/scores", "score", score, make_again(score), remade=True),
        Product("/v1/scores/live", "live", live, make_again(live), remade=True),
        Product("/v1/scores/batch", "batch", batch, batch_again, makes=True),
        Product("/v1/verifications", "verify", verify, make_again(verify), remade=True),
        Product("/v1/objections", "object", object_to, repeat_unchanged, makes=True, lasts=True,
                repeated="objection.repeated"),
        *(Product(path, "query", handle, make_again(handle), remade=True, repeated="query.repeated")
          for path, handle in HANDLERS.items()),
        Product("/v1/scores/facts", "facts", answer_facts, make_again(answer_facts), remade=True,
                repeated="facts.repeated"),
        Product("/v1/evaluations", "supervise", supervise, make_again(supervise), remade=True,
                repeated="supervision.repeated"),
    )
}  # fmt: skip
