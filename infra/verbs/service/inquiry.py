"""Verbs around the public records of a named subject: credit files for the service, and credit reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from credit.errors import Malformed
from credit.messages import Text
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.progress import progress
from infra.verbs import options
from infra.verbs.options import AsJson, By, Today
from infra.verbs.requesting import carry_out


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    app.command()(dossiers)
    app.command()(report)
    app.command("verify-report")(verify_report)
    app.command("verify-code")(verify_code)


def dossiers(
    release: Annotated[str, typer.Option(help="An inquiry release; the newest by default.")] = "",
    today: Today = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Make the credit files (信用档案) that queries and reports are made of."""
    arguments = {"release": release}
    made = carry_out(Home.here(), "dossiers", arguments, by=by, today=options.requested_day(today)).results[0]
    output.result(made, as_json=as_json, text=localized("cli.dossiers.made"))


def report(
    uscc: Annotated[str, typer.Argument(help="The subject's code.")],
    credentials: Annotated[Path, typer.Option("--as", help="The file that `haihe bank --save` wrote.")],
    out: Annotated[Path, typer.Option(help="Where to write it: .pdf, .html or .json; the signature goes beside it.")],
    mandate: Annotated[str, typer.Option(help="The id of a mandate; none for open records of an enterprise.")] = "",
    purpose: Annotated[str, typer.Option(help="The mandate's purpose.")] = "credit_granting",
    url: Annotated[str, typer.Option(help="The address of the scoring service.")] = "http://127.0.0.1:8700",
    as_json: AsJson = False,
) -> None:
    """Get a subject's public credit report (公共信用报告) with its signature.

    The signature is written into a file beside the report.
    """
    from haihe_client import ServiceClient

    from credit.files import write_atomically
    from credit.uscc import Uscc
    from infra.verbs.service.client_errors import client_language, service_errors
    from infra.verbs.service.scoring import read_credentials

    name, secret = read_credentials(credentials)
    code, form = Uscc.parse(uscc).code, out.suffix.removeprefix(".").lower()
    service = ServiceClient(url, name, secret, timeout=60, language=client_language())
    with progress() as report_progress, service_errors(), service as client:
        report_progress("requesting the report", 0, 0)
        body, jws = client.report(code, form, purpose if mandate else "", mandate)
    signature = out.with_name(f"{out.name}.jws")
    write_atomically(out, body)
    write_atomically(signature, jws.encode())
    data = {"file": str(out), "signature": str(signature), "bytes": len(body)}
    output.result(data, as_json=as_json, text=localized("cli.report.written"))


def verify_report(
    file: Annotated[Path, typer.Argument(help="The report as it was sent: PDF, HTML or JSON.")],
    signature: Annotated[Path, typer.Argument(help="A file with the header X-JWS-Signature, or all the headers.")],
    ring: Annotated[Path | None, typer.Option(help="The folder of public keys; this home's by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check offline that the service signed a report or an answer.

    One changed byte is enough for a refusal.
    """
    from credit.keys import KeyRing
    from serving.audit.signatures import HEADER, verify

    try:
        headers, body = signature.read_text(encoding="ascii", errors="replace"), file.read_bytes()
    except OSError as error:
        raise Malformed("inquiry.report-or-signature-cannot-be", why=Text.verbatim(str(error.filename))) from error
    named = [text.split(":", 1)[1] for text in headers.splitlines() if text.lower().startswith(f"{HEADER.lower()}:")]
    verify(body, (named[0] if named else headers).strip(), KeyRing.load(ring) if ring else Home.here().ring)
    output.result({"file": str(file), "bytes": len(body)}, as_json=as_json, text=localized("cli.verify-report.signed"))


def verify_code(
    file: Annotated[Path, typer.Argument(help="A file with the text of the QR code.")],
    ring: Annotated[Path | None, typer.Option(help="The folder of public keys; this home's by default.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check offline the QR code of a special report (信用代证), and print what it says.

    Number, subject and counts of the report have to be those of the code.
    """
    from credit.keys import KeyRing
    from serving.endpoints.reports.special_code import read_statement

    try:
        text = file.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise Malformed("inquiry.report-or-signature-cannot-be", why=Text.verbatim(str(error.filename))) from error
    statement = read_statement(text, KeyRing.load(ring) if ring else Home.here().ring)
    output.result(statement, as_json=as_json, text=localized("cli.verify-code.signed"))
