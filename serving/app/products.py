"""The products of the service, by path: one line per product with its scope, its handler and its repetition rule."""

from __future__ import annotations

from collections.abc import Mapping

from serving.core.recovery import repeat_if_allowed, repeat_if_same, repeat_unchanged
from serving.core.request import RequestContext
from serving.core.service import ScoringService
from serving.endpoints.inquiries.facts import answer_facts
from serving.endpoints.inquiries.queries import HANDLERS
from serving.endpoints.objections.objections import object_to
from serving.endpoints.scores.batch import batch, batch_again
from serving.endpoints.scores.live import check_live, live
from serving.endpoints.scores.verifications import check_verification, verify
from serving.endpoints.supervision.supervision import supervise
from serving.http.products import Product
from serving.responses.request_schemas import read_score_request


async def score(service: ScoringService, call: RequestContext, body: bytes) -> bytes:
    """Answer with the score of one subject. Raises as `ScoringService.answer`."""
    return await service.answer(call, read_score_request(body))


def check_score(service: ScoringService, call: RequestContext, body: bytes) -> object:
    """Raise as `ScoringService.prepare_answer` unless the score may be given now."""
    return service.prepare_answer(call, read_score_request(body))


PRODUCTS: Mapping[str, Product] = {
    product.path: product
    for product in (
        Product("/v1/scores", "score", score, repeat_if_allowed(check_score)),
        Product("/v1/scores/live", "live", live, repeat_if_allowed(check_live)),
        Product("/v1/scores/batch", "batch", batch, batch_again, makes=True),
        Product("/v1/verifications", "verify", verify, repeat_if_allowed(check_verification)),
        Product("/v1/objections", "object", object_to, repeat_unchanged, makes=True, lasts=True,
                repeated="objection.repeated"),
        *(Product(path, "query", handle, repeat_if_same(handle), repeated="query.repeated")
          for path, handle in HANDLERS.items()),
        Product("/v1/scores/facts", "facts", answer_facts, repeat_if_same(answer_facts), repeated="facts.repeated"),
        Product("/v1/evaluations", "supervise", supervise, repeat_if_same(supervise), repeated="supervision.repeated"),
    )
}  # fmt: skip
