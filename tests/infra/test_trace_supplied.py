"""`haihe trace` scores a live answer again from the features the bank supplied, and refuses any other features."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from credit.errors import Broken, Malformed
from infra.haihe import command_line
from serving.app.create import create_app
from serving.settings import ServiceSettings
from tests.infra.repair_home import BANK, DAY, PURPOSE, RepairHome

with warnings.catch_warnings():  # starlette 1.10 would rather have httpx2, which is not in the lock file
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", UserWarning)
    from fastapi.testclient import TestClient


pytestmark = pytest.mark.servers  # of a whole home


def haihe(place: RepairHome, *words: str) -> Any:
    return CliRunner().invoke(command_line(), words, env={"HAIHE_HOME": str(place.home.root)})


def test_a_live_answer_is_traced_and_scored_again_from_what_the_bank_has(
    repair_home: RepairHome, tmp_path: Path
) -> None:
    place, supplied = repair_home, {"sales_12m": 3.0e6, "customers_12m": None}
    code, mandate = next(iter(place.mandates.items()))
    more = {"HAIHE_SERVICE_TODAY": DAY.isoformat(), "HAIHE_SERVICE_MODELS": "enterprise"}
    settings = place.home.settings(ServiceSettings, "service", more)
    with TestClient(create_app(settings)) as http:
        form = {"grant_type": "client_credentials"}
        token = http.post("/oauth2/token", data=form, auth=(BANK, place.secret)).json()["access_token"]
        answer = http.post("/v1/scores/live", headers={"Authorization": f"Bearer {token}"}, json={
            "uscc": code, "purpose": PURPOSE, "mandate": mandate, "features": supplied}).json()  # fmt: skip
    name, file = answer["score_id"], tmp_path / "brought.json"

    def traced(features: Any) -> Any:
        file.write_text(json.dumps({"features": features, "salt": answer["brought"]["salt"]}))
        return haihe(place, "trace", name, "--brought", str(file), "--json")

    done = traced(supplied)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["replayed"] == answer["receipt"]["digest"]
    assert json.loads(haihe(place, "trace", name, "--json").stdout)["replayed"] == ""  # walked back all the same
    for features, error in ((supplied | {"sales_12m": 4.0e6}, Broken), ({"nonsense": 1.0}, Malformed),
                            ("31337.5", Malformed)):  # fmt: skip
        done = traced(features)
        assert isinstance(done.exception, error), done.output
        assert "31337" not in str(done.exception)
    done = haihe(place, "trace", name, "--brought", str(tmp_path / "none.json"))
    assert (done.exit_code, "does not exist" in done.stderr) == (2, True)
