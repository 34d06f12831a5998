"""Fixtures: one trained world a session, copied for every test, and the service running in it."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

with warnings.catch_warnings():  # starlette 1.10 would rather have httpx2, which is not in the lock file
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", UserWarning)
    from fastapi.testclient import TestClient


def _load_module(name: str, file: str) -> Any:
    """The module in `file` beside this one, as `name` for the tests here."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(file))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


KEPT = 600.0  # seconds a token is taken again; it is good for half as long again

serving_world = _load_module("serving_world", "world.py")
serving_evaluations = _load_module("serving_evaluations", "evaluation_world.py")
_load_module("serving_bank_keys", "bank_keys.py")
_load_module("serving_service_process", "service_process.py")
_load_module("serving_credit_files", "credit_file_world.py")
_load_module("serving_webhook_receiver", "webhook_receiver.py")
_load_module("serving_conversations", "conversations.py")
_load_module("serving_post_requests", "post_requests.py")
_load_module("serving_post_harness", "post_harness.py")
_load_module("serving_market_paths", "market_paths.py")
serving_postgres = _load_module("serving_postgres", "postgres_server.py")
service_thread = _load_module("serving_service_thread", "service_thread.py").service_thread
World = serving_world.World


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], dict[str, list[str]]]:
    """The world's folder, the banks' secrets, and per model two versions with a snapshot each: [v1, s1, v2, s2]."""
    from serving.auth.access_database import AccessDatabase

    root = tmp_path_factory.mktemp("world")
    world = World(root)
    world.create()
    seals = {}
    for model in ("enterprise", "individual_business"):
        made = []
        for seed in (1, 2):
            version = world.version(model, seed)
            made += [version, world.snapshot(model, version, 40)]
        world.promote(model, made[0])
        world.show(model, made[0], made[1])
        seals[model] = made
        serving_evaluations.evaluate(world, model, 40)
    access = AccessDatabase(root / "access.db")
    secrets = {bank: access.add_client(bank) for bank in ("bohai", "jincheng")}
    secrets["scjgj"] = access.add_client("scjgj", kind="agency")
    access.close()
    return root, secrets, seals


class Running:
    """The service in a world, and the bank bohai calling it."""

    def __init__(self, world: Any, template: Any, tokens: Callable[[str], str], http: TestClient) -> None:
        self.world, self.http, self._tokens = world, http, tokens
        self.secrets: dict[str, str] = template[1]
        self.seals: dict[str, list[str]] = template[2]

    def token(self, bank: str = "bohai") -> str:
        """A token from before, as banks keep theirs: the service in this world was not asked for it."""
        return self._tokens(bank)

    def fresh_token(self, bank: str = "bohai") -> str:
        form = {"grant_type": "client_credentials"}
        response = self.http.post("/oauth2/token", data=form, auth=(bank, self.secrets[bank]))
        assert response.status_code == 200, response.text
        return str(response.json()["access_token"])

    def score(self, code: str, mandate: str, *, token: str | None = None, purpose: str = serving_world.PURPOSE) -> Any:
        body = {"uscc": code, "purpose": purpose, "mandate": mandate}
        bearer = {"Authorization": f"Bearer {token or self.token()}"}
        return self.http.post("/v1/scores", json=body, headers=bearer)

    def entries(self, verb: str) -> list[Any]:
        return [entry for entry in self.world.ledger.entries() if entry.verb == verb]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A PostgreSQL of this run; its socket has a short path, as the length of those is bounded."""
    with (
        tempfile.TemporaryDirectory(prefix="haihe-pg-") as folder,
        serving_postgres.postgres_server(Path(folder)) as pg,
    ):
        yield pg


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a new, empty store is: the same tests run on both engines."""
    if request.param == "sqlite":
        return tmp_path / "store" / "access.db"
    address: str = request.getfixturevalue("postgres").database()
    return address


@pytest.fixture
def world(template: Any, tmp_path: Path) -> Any:
    """A fresh copy of the trained world."""
    shutil.copytree(template[0], tmp_path / "world")
    return World(tmp_path / "world")


@pytest.fixture(scope="session")
def tokens(template: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """A bank's token, good in every copy of the world, which has the same keys and the same banks.

    To prove a secret is made costly: so tokens are kept, and requested again only when they have grown old.
    """
    from serving.app.create import create_app

    kept: dict[str, tuple[float, str]] = {}

    def token(bank: str) -> str:
        if bank not in kept or kept[bank][0] < time.monotonic():
            root = tmp_path_factory.mktemp("tokens") / "world"
            shutil.copytree(template[0], root)
            with TestClient(create_app(World(root).settings())) as http:
                made = Running(World(root), template, token, http).fresh_token(bank)
            kept[bank] = (time.monotonic() + KEPT, made)
        return kept[bank][1]

    return token


@pytest.fixture
def running(template: Any, tokens: Any, world: Any) -> Iterator[Running]:
    """The service, ready, on its fixed day."""
    from serving.app.create import create_app

    with TestClient(create_app(world.settings()), raise_server_exceptions=False) as http:
        yield Running(world, template, tokens, http)


@pytest.fixture
def serve(template: Any, tokens: Any, world: Any) -> Any:
    """Start the service in the world as it is by then, with other settings."""
    from serving.app.create import create_app

    class Served:
        def __init__(self, **more: Any) -> None:
            self.http = TestClient(create_app(world.settings(**more)), raise_server_exceptions=False)

        def __enter__(self) -> Running:
            return Running(world, template, tokens, self.http.__enter__())

        def __exit__(self, *error: Any) -> None:
            self.http.__exit__(*error)

    return Served


def read_ledger(path: Path) -> list[dict[str, Any]]:
    """The raw lines of a ledger."""
    return [json.loads(line) for line in path.read_text().splitlines()]
