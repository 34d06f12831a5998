"""Verbs of the service zone: banks, mandates, serving, and asking for a score."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from credit.actor import Actor, Role
from credit.canonical import digest
from credit.errors import Malformed
from credit.files import write_whole
from credit.keys import load_secret
from credit.subjects import PseudonymKey
from credit.uscc import Uscc
from infra import output
from infra.home import Home
from infra.verbs import options
from infra.verbs.options import AsJson, By, Today
from serving.auth import mandates
from serving.auth.access_database import Access
from serving.auth.clients import LIMIT, Limit
from serving.bank.client import ServiceClient
from serving.settings import ServiceSettings

DESK = Actor("authorisation-desk", Role.PLATFORM)


def add_to(app: typer.Typer) -> None:
    """Put these verbs on the command line."""
    for verb in (bank, mandate, revoke, review, serve, score):
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
    """Add a bank or an agency, its secret shown, or saved, this once; or change secret, keys and limits of one."""
    home = Home.here()
    settings = home.settings(ServiceSettings, "service")
    access = Access(settings.access)
    changed = {"key": key, "drop_key": drop_key, "from": networks, "rate": rate, "burst": burst}
    because = {option: str(value) for option, value in changed.items() if value is not None and option != "key"}
    of_one = {"new_secret": new_secret or None, "drop_secret": drop_secret or None, "shut_out": shut_out}
    because |= {option: str(value) for option, value in of_one.items() if value is not None}
    known = any(value is not None for value in of_one.values())  # said of a bank that is there, or not at all
    is_new = not known and (access.client(name) is None or not any(changed.values()))
    secret = access.add_client(name, kind=kind) if is_new else ""
    if drop_secret:
        access.drop_secret(name)
    if new_secret:
        secret = access.renew_secret(name)
    if shut_out is not None:
        access.disable_client(name, disabled=shut_out)
    if is_new:
        because["kind"] = kind
    if drop_key:
        access.remove_key(name, drop_key)
    if key:
        because["key"] = access.add_key(name, json.loads(key.read_text()))
    if networks:
        access.set_networks(name, networks)
    if rate or burst:
        access.set_limit(name, Limit(rate or LIMIT.rate, burst or LIMIT.burst))
    verb = "bank.added" if is_new else "bank.changed"
    home.ledger("platform", writing=True).append(verb, f"bank-{name}", by=by or DESK, because=because)
    if not secret:
        output.result({"bank": name, **because}, as_json=as_json, text="changed")
        return
    if save:
        write_whole(save, json.dumps({"name": name, "secret": secret}).encode(), mode=0o600)
    told = {"bank": name, **({"saved": str(save)} if save else {"secret": secret})}
    done = "added" if is_new else "changed"
    output.result(told, as_json=as_json, text=f"{done}; the secret cannot be shown again")


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
    """Record a subject's mandate (授权书) for a bank, signed by the platform; prints its id."""
    home = Home.here()
    settings = home.settings(ServiceSettings, "service")
    subject = PseudonymKey("scoring", load_secret(settings.keys / "pseudonym-scoring.key")).key_of(
        Uscc.parse(uscc).code
    )
    made = mandates.grant(
        Access(settings.access),
        bank=bank,
        subject=subject,
        purpose=purpose,
        document=digest(document),
        valid_from=today or options.today(),
        valid_until=options.day(until),
        by=by or DESK,
        key=home.key("platform"),
        ledger=home.ledger("platform", writing=True),
    )
    if as_json:
        output.result({"mandate": made.id}, as_json=True)
    else:
        sys.stdout.write(f"{made.id}\n")


def revoke(
    name: Annotated[str, typer.Argument(metavar="MANDATE", help="The mandate's id.")],
    why: Annotated[str, typer.Option(help="Why, for the ledger; it names nobody.")] = "asked by the subject",
    by: By = None,
) -> None:
    """Take a mandate back: from this moment on it opens nothing."""
    home = Home.here()
    access = Access(home.settings(ServiceSettings, "service").access)
    mandates.revoke(access, name, by=by or DESK, ledger=home.ledger("platform", writing=True), why=why)
    output.result({"mandate": name}, as_json=False, text="revoked")


def review(
    name: Annotated[str, typer.Argument(metavar="OBJECTION", help="The objection's id.")],
    outcome: Annotated[str, typer.Option(help="upheld or dismissed.")],
    why: Annotated[str, typer.Option(help="What the subject will read; it names nobody.")],
    by: By = None,
) -> None:
    """Answer an objection, as a person of the platform (PIPL article 24)."""
    from serving.endpoints.objections.objections import decide  # with it comes all of the service, in a second

    home = Home.here()
    access = Access(home.settings(ServiceSettings, "service").access)
    decide(access, home.ledger("service", writing=True), name, outcome, by=by or DESK, why=why)
    output.result({"objection": name, "outcome": outcome}, as_json=False, text="answered")


def serve(
    models: Annotated[str, typer.Option(help="The models to serve.")] = "enterprise,individual_business",
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option()] = 8700,
    workers: Annotated[int, typer.Option(help="Processes that answer; 0: one a core.")] = 1,
    today: Today = None,
) -> None:
    """Serve scores from the shelf alone; neither Ray nor MLflow need be running."""
    own = Home.here().environment("service")
    told = {"HAIHE_SERVICE_MODELS": models, "HAIHE_SERVICE_HOST": host, "HAIHE_SERVICE_PORT": str(port)}
    told["HAIHE_SERVICE_WORKERS"] = str(workers)
    day = today or (options.today() if "HAIHE_TODAY" in os.environ else None)
    if day:
        told["HAIHE_SERVICE_TODAY"] = day.isoformat()
    # The service becomes this very process, so that nothing of ours stands between it and a signal.
    os.execve(sys.executable, [sys.executable, "-m", "serving"], {**own, **os.environ, **told})


def read_credentials(path: Path) -> tuple[str, str]:
    """Name and secret from the file `haihe bank --save` wrote; raises :class:`Malformed` when they are not there."""
    try:
        told = json.loads(path.read_text())
        return told["name"], told["secret"]
    except (OSError, ValueError, KeyError) as error:
        raise Malformed("service.credentials-cannot-be-read", why=str(path)) from error


def score(
    uscc: Annotated[str, typer.Argument(help="The subject's code.")],
    mandate: Annotated[str, typer.Option(help="The id of its mandate.")],
    credentials: Annotated[Path, typer.Option("--as", help="The file `haihe bank --save` wrote.")],
    purpose: Annotated[str, typer.Option()] = "credit_granting",
    url: Annotated[str, typer.Option()] = "http://127.0.0.1:8700",
    as_json: AsJson = False,
) -> None:
    """Ask for a subject's score as a bank would."""
    name, secret = read_credentials(credentials)
    with ServiceClient(url, name, secret) as client:
        answer = client.score(uscc, purpose, mandate)
    if as_json:
        output.result(answer, as_json=True)
    else:
        output.answer(answer)
