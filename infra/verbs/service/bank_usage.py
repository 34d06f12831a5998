"""Verbs around banks as customers: what each used, and a sandbox for their developers."""

from __future__ import annotations

import csv
import io
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from credit.actor import Role
from credit.errors import Malformed
from infra import output
from infra.home import Home
from infra.language.texts import translated, visible
from infra.progress import progress
from infra.verbs import options
from infra.verbs.actors import AUTHORISATION_OFFICER, acting
from infra.verbs.options import AsJson, By, Today

HEAD = ("bank", "product", "status", "calls", "subjects")


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    app.command()(usage)
    app.command()(sandbox)


def usage(
    month: Annotated[str, typer.Option(help="The month, such as 2026-11 (Beijing time).")],
    bank: Annotated[str | None, typer.Option(help="One bank; all by default.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write a statement signed by the platform (DSSE) here.")] = None,
    as_json: AsJson = False,
) -> None:
    """Count what each bank used in a month, by product and status.

    The calls and subjects are counted from the service's ledger alone. Prints CSV.
    """
    from credit.envelope import sign_envelope
    from credit.files import write_atomically
    from serving.audit.usage import PAYLOAD_TYPE, statement

    home = Home.here()
    ledger = home.ledger("service")
    with progress() as report:
        report("reading and verifying the service's ledger", 0, 0)
        lines = statement(ledger.verified(), month, bank)
    if out is not None:
        payload = {"month": month, "lines": lines, "ledger": dict(zip(("seq", "id"), ledger.head(), strict=True))}
        write_atomically(out, json.dumps(sign_envelope(payload, PAYLOAD_TYPE, home.key("platform"))).encode())
    if as_json:
        output.document({"month": month, "lines": lines})
        return
    stream = io.StringIO()
    rows = csv.DictWriter(stream, HEAD, lineterminator="\n")
    rows.writeheader()
    rows.writerows(lines)
    sys.stdout.write(visible(stream.getvalue()))


def sandbox(
    save: Annotated[Path, typer.Option(help="Where the bank's secret and the firms go, mode 0600.")],
    name: Annotated[str, typer.Option("--bank", help="The invented bank's name.")] = "sandbox-bank",
    model: Annotated[str, typer.Option(help="The model that scores the firms.")] = "enterprise",
    today: Today = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Make an invented bank with invented firms, for developers.

    Each firm shows one behaviour of the service. Only the home of an invented city can have such a bank.
    """
    actor = acting(by, AUTHORISATION_OFFICER, Role.PLATFORM, act="act.grant-mandate")

    from credit.catalogue import Catalogue
    from credit.files import write_atomically
    from credit.keys import load_secret
    from credit.subjects import PseudonymKey
    from credit.uscc import Uscc
    from privacy.settings import CustodySettings
    from privacy.vault import Vault
    from serving import bank_sandbox
    from serving.auth.access_database import AccessDatabase
    from serving.data.snapshot import open_snapshot, read_pointers
    from serving.settings import ServiceSettings

    home = Home.here()
    settings = home.settings(ServiceSettings, "service")
    with progress() as report:
        report("choosing the firms", 0, 0)
        snapshot = open_snapshot(home.shelf, read_pointers(home.shelf, model))
        bank_sandbox.require_invented(home.shelf, snapshot.release)
        pseudonyms = PseudonymKey("scoring", load_secret(settings.keys / "pseudonym-scoring.key"), settings.algorithm)
        custody, catalogue = home.settings(CustodySettings, "custody"), Catalogue.load("city")
        vault = Vault(custody.raw, load_secret(custody.keys / "raw.key"))
        codes, repaired = (
            [str(code) for code in vault.read(table).column(catalogue.table(table).subject.column).to_pylist()]
            for table in ("registration", "credit_repair")
        )
        of_kind = [code for code in codes if Uscc(code).kind == snapshot.subject_kind]
        named = bank_sandbox.choose_firms(snapshot, of_kind, repaired, pseudonyms)
    access = AccessDatabase(settings.access)
    if access.client(name) is not None:
        raise Malformed("tenants.bank-exists-already", name=name)
    secret, ledger = access.add_client(name), home.ledger("platform", writing=True)
    ledger.append("bank.added", f"bank-{name}", by=actor, details={"sandbox": True})
    firms = bank_sandbox.grant_mandates(named, bank=name, access=access, day=today or options.today(), by=actor,
                                 key=home.key("platform"), ledger=ledger, pseudonyms=pseudonyms)  # fmt: skip
    data = {"name": name, "secret": secret, "firms": {role: asdict(firm) for role, firm in firms.items()}}
    write_atomically(save, json.dumps(data, ensure_ascii=False, indent=1).encode(), mode=0o600)
    if as_json:
        output.document({"bank": name, "saved": str(save), "firms": data["firms"]})
        return
    for role, firm in firms.items():
        output.line(f"{role:11} {firm.code}  {firm.status}  {translated(firm.because)}", markup=False)
    output.message("cli.sandbox.saved", file=save)
