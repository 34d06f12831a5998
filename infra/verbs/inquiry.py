"""Verbs around what may be asked of a named subject: dossiers for the service, and the check of a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from credit.errors import Malformed
from credit.files import write_whole
from credit.keys import KeyRing
from credit.uscc import Uscc
from infra import output
from infra.home import Home
from infra.progress import progress
from infra.verbs import options
from infra.verbs.options import AsJson, By, Today
from infra.verbs.seals import BOB, release_of
from infra.verbs.service import read_credentials
from models.settings import ComputeSettings
from serving.audit.signatures import HEADER, verify
from serving.bank.client import ServiceClient


def add_to(app: typer.Typer) -> None:
    """Put these verbs on the command line."""
    app.command()(dossiers)
    app.command()(report)
    app.command("verify-report")(verify_report)


def dossiers(
    release: Annotated[str, typer.Option(help="An inquiry release; the newest unless named.")] = "",
    today: Today = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """The public records of every subject (信用档案), for the service to answer queries and reports from."""
    from models.snapshots.credit_files import (  # whoever verifies a report need not wait for them
        make_dossiers,
        point_dossiers,
    )

    home = Home.here()
    source = release_of(home, "inquiry", release)
    with progress() as told:
        seal = make_dossiers(
            release=source,
            shelf=home.shelf,
            key=home.key("compute"),
            by=by or BOB,
            ledger=home.ledger("compute", writing=True),
            today=today or options.today(),
            limits=home.settings(ComputeSettings, "compute").limits,
            progress=told,
        )
    point_dossiers(home.shelf, seal, key=home.key("platform"))
    found = {"dossiers": seal.id, "subjects": seal.terms["subjects"], "as_of": seal.terms["as_of"]}
    output.result(found, as_json=as_json, text="made, and pointed at for the service")


def report(
    uscc: Annotated[str, typer.Argument(help="The subject's code.")],
    credentials: Annotated[Path, typer.Option("--as", help="The file `haihe bank --save` wrote.")],
    out: Annotated[Path, typer.Option(help="Where to write it: .pdf, .html or .json; the signature goes beside it.")],
    mandate: Annotated[str, typer.Option(help="The id of a mandate; none for open records of an enterprise.")] = "",
    purpose: Annotated[str, typer.Option(help="The mandate's purpose.")] = "credit_granting",
    url: Annotated[str, typer.Option()] = "http://127.0.0.1:8700",
    as_json: AsJson = False,
) -> None:
    """Get a subject's public credit report (公共信用报告) as a bank would, with its signature in a file beside it."""
    name, secret = read_credentials(credentials)
    code, form = Uscc.parse(uscc).code, out.suffix.removeprefix(".").lower()
    with ServiceClient(url, name, secret, timeout=60) as client:
        body, sign = client.report(code, form, purpose if mandate else "", mandate)
    signature = out.with_name(f"{out.name}.jws")
    write_whole(out, body)
    write_whole(signature, sign.encode())
    found = {"file": str(out), "signature": str(signature), "bytes": len(body)}
    output.result(found, as_json=as_json, text="written; `haihe verify-report` checks it offline")


def verify_report(
    file: Annotated[Path, typer.Argument(help="The report as it was sent: PDF, HTML or JSON.")],
    signature: Annotated[Path, typer.Argument(help="A file with the header X-JWS-Signature, or all the headers.")],
    ring: Annotated[Path | None, typer.Option(help="The folder of public keys; this home's unless told.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check offline that a report or an answer is the one that the service signed, to the byte."""
    try:
        told, body = signature.read_text(encoding="ascii", errors="replace"), file.read_bytes()
    except OSError as error:
        raise Malformed("inquiry.report-or-signature-cannot-be", why=str(error.filename)) from error
    heads = [line.split(":", 1)[1] for line in told.splitlines() if line.lower().startswith(f"{HEADER.lower()}:")]
    verify(body, (heads[0] if heads else told).strip(), KeyRing.load(ring) if ring else Home.here().ring)
    output.result({"file": str(file), "bytes": len(body)}, as_json=as_json, text="the service signed exactly this")
