"""Verbs around the clients of the service: banks and agencies, their mandates, and objections."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from credit.actor import Role
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs import options
from infra.verbs.actors import AUTHORISATION_OFFICER, acting
from infra.verbs.options import AsJson, By, Today


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
    rate: Annotated[float | None, typer.Option(help="Calls a second in the long run.")] = None,
    burst: Annotated[float | None, typer.Option(help="Calls at once.")] = None,
    kind: Annotated[str, typer.Option(help="bank, or agency (行政机关): what it may ask for.")] = "bank",
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Add a bank or an agency, or change its secret, keys and limits.

    A new secret is shown, or saved, this once.
    """
    actor = acting(by, AUTHORISATION_OFFICER, Role.PLATFORM, act="act.add-or-change-bank")

    from credit.files import write_atomically
    from serving.auth.access_database import AccessDatabase
    from serving.auth.clients import DEFAULT_LIMIT, RateLimit
    from serving.settings import ServiceSettings

    home = Home.here()
    settings = home.settings(ServiceSettings, "service")
    access = AccessDatabase(settings.access)
    changed = {"key": key, "drop_key": drop_key, "from": networks, "rate": rate, "burst": burst}
    details = {option: str(value) for option, value in changed.items() if value is not None and option != "key"}
    of_one = {"new_secret": new_secret or None, "drop_secret": drop_secret or None, "shut_out": shut_out}
    details |= {option: str(value) for option, value in of_one.items() if value is not None}
    is_change = any(value is not None for value in of_one.values())  # these refer to a bank that exists
    is_new = not is_change and (access.client(name) is None or not any(changed.values()))
    secret = access.add_client(name, kind=kind) if is_new else ""
    if drop_secret:
        access.drop_secret(name)
    if new_secret:
        secret = access.renew_secret(name)
    if shut_out is not None:
        access.disable_client(name, disabled=shut_out)
    if is_new:
        details["kind"] = kind
    if drop_key:
        access.remove_key(name, drop_key)
    if key:
        details["key"] = access.add_key(name, json.loads(key.read_text()))
    if networks:
        access.set_networks(name, networks)
    if rate or burst:
        access.set_limit(name, RateLimit(rate or DEFAULT_LIMIT.rate, burst or DEFAULT_LIMIT.burst))
    verb = "bank.added" if is_new else "bank.changed"
    home.ledger("platform", writing=True).append(verb, f"bank-{name}", by=actor, details=details)
    if not secret:
        output.result({"bank": name, **details}, as_json=as_json, text=localized("cli.changed"))
        return
    if save:
        write_atomically(save, json.dumps({"name": name, "secret": secret}).encode(), mode=0o600)
    data = {"bank": name, **({"saved": str(save)} if save else {"secret": secret})}
    text = localized("cli.bank.added" if is_new else "cli.bank.changed")
    output.result(data, as_json=as_json, text=text)


def mandate(
    bank: Annotated[str, typer.Argument(help="The bank the subject gave it to.")],
    uscc: Annotated[str, typer.Argument(help="The subject's code.")],
    until: Annotated[str, typer.Option(help="The last day it holds.")],
    document: Annotated[Path, typer.Option(help="The signed original; its digest is recorded.")],
    purpose: Annotated[str, typer.Option(help="credit_granting or post_loan_management.")] = "credit_granting",
    today: Today = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Record a subject's mandate (授权书) for a bank, and print its id.

    The platform signs it.
    """
    actor = acting(by, AUTHORISATION_OFFICER, Role.PLATFORM, act="act.grant-mandate")

    from credit.canonical import digest
    from credit.keys import load_secret
    from credit.subjects import PseudonymKey
    from credit.uscc import Uscc
    from serving.auth import mandates
    from serving.auth.access_database import AccessDatabase
    from serving.settings import ServiceSettings

    home = Home.here()
    settings = home.settings(ServiceSettings, "service")
    subject = PseudonymKey("scoring", load_secret(settings.keys / "pseudonym-scoring.key")).key_of(
        Uscc.parse(uscc).code
    )
    made = mandates.grant(
        AccessDatabase(settings.access),
        bank=bank,
        subject=subject,
        purpose=purpose,
        document=digest(document),
        valid_from=today or options.today(),
        valid_until=options.day(until),
        by=actor,
        key=home.key("platform"),
        ledger=home.ledger("platform", writing=True),
    )
    if as_json:
        output.document({"mandate": made.id})
    else:
        sys.stdout.write(f"{made.id}\n")


def revoke(
    name: Annotated[str, typer.Argument(metavar="MANDATE", help="The mandate's id.")],
    why: Annotated[str, typer.Option(help="Why, for the ledger; it names no person.")] = "asked by the subject",
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a mandate; from now on it permits nothing."""
    actor = acting(by, AUTHORISATION_OFFICER, Role.PLATFORM, act="act.revoke-mandate")

    from serving.auth import mandates
    from serving.auth.access_database import AccessDatabase
    from serving.settings import ServiceSettings

    home = Home.here()
    access = AccessDatabase(home.settings(ServiceSettings, "service").access)
    mandates.revoke(access, name, by=actor, ledger=home.ledger("platform", writing=True), why=why)
    output.result({"mandate": name}, as_json=as_json, text=localized("cli.revoked"))


def review(
    name: Annotated[str, typer.Argument(metavar="OBJECTION", help="The objection's id.")],
    outcome: Annotated[str, typer.Option(help="upheld or dismissed.")],
    why: Annotated[str, typer.Option(help="What the subject will read; it names no person.")],
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Answer an objection as a person of the platform (PIPL article 24)."""
    actor = acting(by, AUTHORISATION_OFFICER, Role.PLATFORM, act="act.answer-objection")

    from serving.auth.access_database import AccessDatabase
    from serving.endpoints.objections.objection_review import decide
    from serving.settings import ServiceSettings

    home = Home.here()
    access = AccessDatabase(home.settings(ServiceSettings, "service").access)
    decide(access, home.ledger("service", writing=True), name, outcome, by=actor, why=why)
    output.result({"objection": name, "outcome": outcome}, as_json=as_json, text=localized("cli.answered"))
