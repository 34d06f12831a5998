"""Verbs of scoring: run the scoring service, and request a score."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from credit.errors import Malformed
from credit.messages import Text
from infra import output
from infra.home import Home
from infra.progress import progress
from infra.verbs import options
from infra.verbs.options import AsJson, Today


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    app.command()(serve)
    app.command()(score)


def serve(
    models: Annotated[str, typer.Option(help="The models to serve.")] = "enterprise,individual_business",
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8700,
    workers: Annotated[int, typer.Option(help="Processes that answer; 0: one per core.")] = 1,
    today: Today = None,
) -> None:
    """Run the scoring service alone; it needs neither Ray nor MLflow."""
    from infra.processes import Process

    home = Home.here()
    settings = {"HAIHE_SERVICE_MODELS": models, "HAIHE_SERVICE_HOST": host, "HAIHE_SERVICE_PORT": str(port)}
    settings["HAIHE_SERVICE_WORKERS"] = str(workers)
    day = today or (options.today() if "HAIHE_TODAY" in os.environ else None)
    if day:
        settings["HAIHE_SERVICE_TODAY"] = day.isoformat()
    # The service replaces this process, so that no process of ours stands between it and a signal.
    Process("scoring service", os.getpid(), f"http://{host}:{port}", f"http://{host}:{port}/live").record(home)
    environment = {**home.environment("service"), **os.environ, **settings}
    os.execve(sys.executable, [sys.executable, "-m", "serving"], environment)


def read_credentials(path: Path) -> tuple[str, str]:
    """Name and secret from the file that `haihe bank --save` wrote; raises :class:`Malformed` without them."""
    try:
        data = json.loads(path.read_text())
        return data["name"], data["secret"]
    except (OSError, ValueError, KeyError) as error:
        raise Malformed("service.credentials-cannot-be-read", why=Text.verbatim(str(path))) from error


def score(
    uscc: Annotated[str, typer.Argument(help="The subject's code.")],
    mandate: Annotated[str, typer.Option(help="The id of its mandate.")],
    credentials: Annotated[Path, typer.Option("--as", help="The file that `haihe bank --save` wrote.")],
    purpose: Annotated[str, typer.Option(help="The mandate's purpose.")] = "credit_granting",
    url: Annotated[str, typer.Option(help="The address of the scoring service.")] = "http://127.0.0.1:8700",
    as_json: AsJson = False,
) -> None:
    """Request a subject's score as a bank would."""
    from haihe_client import ServiceClient

    from infra.verbs.service.client_errors import client_language, service_errors

    name, secret = read_credentials(credentials)
    service = ServiceClient(url, name, secret, language=client_language())
    with progress() as report, service_errors(), service as client:
        report("requesting the score", 0, 0)
        answer = client.score(uscc, purpose, mandate)
    if as_json:
        output.document(answer)
    else:
        output.score(answer)
