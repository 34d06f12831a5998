"""Verbs around the clients of the service: banks and agencies, their mandates, and objections."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from credit.actor import Role
from credit.errors import Malformed
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs import options
from infra.verbs.options import AsJson, By, Today
from infra.verbs.requesting import carry_out, require_named


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    for verb in (bank, mandate, revoke, review):
        app.command()(verb)


def bank(
    name: Annotated[str, typer.Argument(help="The bank's client name.")],
    save: Annotated[Path | None, typer.Option(help="Write name and secret into this file, mode 0600.")] = None,
    key: Annotated[Path | None, typer.Option(help="A public key of the bank's (a JWK), beside the one it has.")] = None,
    drop_key: Annotated[str | None, typer.Option(help="Take a key back: its thumbprint (RFC 7638).")] = None,
    new_secret: Annotated[
        bool, typer.Option("--new-secret", help="Give it a new secret; the one it has stays good until dropped.")
    ] = False,
    drop_secret: Annotated[bool, typer.Option("--drop-secret", help="Take the older of two secrets back.")] = False,
    shut_out: Annotated[
        bool | None, typer.Option("--shut-out/--let-in", help="Refuse it everything from now on; or no longer.")
    ] = None,
    networks: Annotated[list[str] | None, typer.Option("--from", help="A network it may call from (CIDR).")] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="A TLS certificate of the bank's (PEM); certificates of its subject prove it.")
    ] = None,
    drop_certificate: Annotated[
        bool, typer.Option("--drop-certificate", help="No certificate proves it any more.")
    ] = False,
    rate: Annotated[float | None, typer.Option(help="Calls a second in the long run.")] = None,
    burst: Annotated[float | None, typer.Option(help="Calls at once.")] = None,
    kind: Annotated[str, typer.Option(help="bank, or agency (行政机关): what it may ask for.")] = "bank",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Add a bank or an agency, or change its secret, keys and limits.

    A new secret is shown, or saved, this once.
    """
    from credit.files import write_atomically

    wanted: dict[str, Any] = {"kind": kind, "drop_key": drop_key, "new_secret": new_secret, "drop_secret": drop_secret}
    wanted |= {"shut_out": shut_out, "networks": networks, "rate": rate, "burst": burst}
    wanted |= {"key": json.loads(key.read_text()) if key else None}
    wanted["certificate"] = certificate_subject(certificate) if certificate else None
    arguments = {"name": name} | {option: value for option, value in wanted.items() if value not in (None, False)}
    if drop_certificate:
        arguments["certificate"] = ""
    if shut_out is False:
        arguments["shut_out"] = False
    made = carry_out(Home.here(), "bank", arguments, by=by)
    secret, is_new = made.private.get("secret", ""), bool(made.last["new"])
    if not secret:
        details = made.results[0]["details"]
        output.result({"bank": name, **details}, as_json=as_json, text=localized("cli.changed"))
        return
    if save:
        write_atomically(save, json.dumps({"name": name, "secret": secret}).encode(), mode=0o600)
    data = {"bank": name, **({"saved": str(save)} if save else {"secret": secret})}
    text = localized("cli.bank.added" if is_new else "cli.bank.changed")
    output.result(data, as_json=as_json, text=text)


def certificate_subject(path: Path) -> str:
    """Subject and issuer of a certificate in PEM. Raises :class:`Malformed` for no certificate, or one without."""
    from cryptography import x509

    from serving.http.forwarded import certificate_name

    try:
        subject = certificate_name(x509.load_pem_x509_certificate(path.read_bytes()))
    except (OSError, ValueError, x509.InvalidVersion) as error:
        raise Malformed("banks.not-a-certificate", file=path.name) from error
    if not subject:
        raise Malformed("banks.not-a-certificate", file=path.name)
    return subject


def mandate(
    bank: Annotated[str, typer.Argument(help="The bank the subject gave it to.")],
    uscc: Annotated[str, typer.Argument(help="The subject's code.")],
    until: Annotated[str, typer.Option(help="The last day it holds.")],
    document: Annotated[Path, typer.Option(help="The signed original; its digest is recorded.")],
    purpose: Annotated[
        str, typer.Option(help="credit_granting, post_loan_management or special_report.")
    ] = "credit_granting",
    today: Today = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Record a subject's mandate (授权书) for a bank, and print its id.

    The platform signs it.
    """
    from credit.canonical import digest
    from credit.uscc import Uscc

    require_named(by, (Role.PLATFORM,), act="act.grant-mandate")
    arguments = {"bank": bank, "uscc": Uscc.parse(uscc).code, "purpose": purpose, "document": digest(document)}
    arguments |= {"until": options.day(until).isoformat()}
    made = carry_out(Home.here(), "mandate", arguments, by=by, today=options.requested_day(today)).last["mandates"][0]
    if as_json:
        output.document({"mandate": made})
    else:
        sys.stdout.write(f"{made}\n")


def revoke(
    name: Annotated[str, typer.Argument(metavar="MANDATE", help="The mandate's id.")],
    why: Annotated[str, typer.Option(help="Why, for the ledger; it names no person.")] = "asked by the subject",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Revoke a mandate; from now on it permits nothing."""
    carry_out(Home.here(), "revoke", {"mandate": name, "why": why}, by=by)
    output.result({"mandate": name}, as_json=as_json, text=localized("cli.revoked"))


def review(
    name: Annotated[str, typer.Argument(metavar="OBJECTION", help="The objection's id.")],
    outcome: Annotated[str, typer.Option(help="upheld or dismissed.")],
    why: Annotated[str, typer.Option(help="What the subject will read; it names no person.")],
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Answer an objection as a person of the platform (PIPL article 24)."""
    carry_out(Home.here(), "review", {"objection": name, "outcome": outcome, "why": why}, by=by)
    output.result({"objection": name, "outcome": outcome}, as_json=as_json, text=localized("cli.answered"))
