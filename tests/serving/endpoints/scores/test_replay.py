"""An old answer comes out the same again from the sealed features and trees, or it is said that it does not."""

from __future__ import annotations

import io
import uuid
from typing import Any

import numpy as np
import pytest
from serving_world import codes

from credit.errors import Broken, Malformed, Missing
from models.scoring.snapshot_layout import ANSWERS_FILE
from serving.endpoints.scores.replay import replay


def test_every_answer_replays_to_the_digest_also_after_a_swap(running: Any) -> None:
    world = running.world
    document = [
        running.score(code, world.grant("bohai", code).id).json()
        for model in ("enterprise", "individual_business")
        for code in codes(model, 6)
    ]
    world.promote("enterprise", running.seals["enterprise"][2])
    for answer in document:
        again = replay(answer["score_id"], world.ledger, world.shelf)
        assert again.digest == answer["receipt"]["digest"]
        assert again.answer == {name: value for name, value in answer.items() if name not in ("uscc", "receipt")}


def test_what_was_not_answered_cannot_be_replayed(running: Any) -> None:
    world, code = running.world, codes("enterprise", 1)[0]
    refused = running.score(code, "none").json()["score_id"]
    for name, error in ((refused, Missing), (str(uuid.uuid4()), Missing), ("nonsense", Malformed)):
        with pytest.raises(error):
            replay(name, world.ledger, world.shelf)


def test_a_snapshot_whose_answers_are_not_the_models_is_detected(serve: Any, world: Any, template: Any) -> None:
    """Features of one draw beside answers of another: rightly sealed, and still not what the model says."""
    import serving_world

    version, firms = template[2]["enterprise"][0], codes("enterprise", 40)
    keys, _ = world.sorted_keys("enterprise", 40)
    folder = world.root / "made"
    serving_world.write_snapshot(folder, world.shelf.open(version).path, keys, serving_world.sample(40, 5)[0])
    answers = (folder / ANSWERS_FILE).read_bytes()
    serving_world.write_snapshot(folder, world.shelf.open(version).path, keys, serving_world.sample(40, 6)[0])
    files = {path.name: path.read_bytes() for path in folder.iterdir()} | {ANSWERS_FILE: answers}
    both = (np.load(io.BytesIO(answer))["probability"] for answer in (answers, (folder / ANSWERS_FILE).read_bytes()))
    row = int(np.argmax(np.abs(np.subtract(*both))))  # not one of whom both say the same by chance
    code = next(c for c in firms if world.pseudonyms.key_of(c).raw == keys[row])
    release = world.seal(serving_world.Kind.RELEASE, "custody", {"rows": b"none"}, purpose="scoring")
    terms = {"model": "enterprise", "version": version, "as_of": str(serving_world.AS_OF)}
    snapshot = world.seal(serving_world.Kind.SNAPSHOT, "compute", files, (version, release), **terms)
    world.show("enterprise", version, snapshot)
    with serve() as running:
        answer = running.score(code, world.grant("bohai", code).id).json()
        with pytest.raises(Broken, match="differs from the one that was given"):
            replay(answer["score_id"], world.ledger, world.shelf)
