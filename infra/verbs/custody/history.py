"""Verbs that read what the ledgers say of the city's work: deliveries, mappings, repairs. They change nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credit.errors import Malformed
from credit.messages import language_here
from credit.requests.failure import error_of
from credit.requests.past_requests import delivery_of, mappings_of, past_requests, repair_of
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs.options import AsJson

if TYPE_CHECKING:
    from credit.ledger import Ledger

ZONES = ("desk", "custody", "compute", "platform")  # the ledgers that these requests leave entries in
Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many are shown at most.")]


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    for verb in (deliveries, mappings, repairs):
        app.command()(verb)


def deliveries(
    limit: Limit = 20,
    receipt: Annotated[
        Path | None, typer.Option(help="Verify this receipt of a delivery, and print what it says.", exists=True)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what was brought in: when, by whom, how many rows were stored and how many wait.

    The reasons of each delivery are in the JSON document; `haihe quarantine` shows the rows.
    """
    if receipt is not None:
        _print_receipt(receipt, as_json=as_json)
        return
    listed = [delivery_of(state) for state in past_requests(_ledgers(), ("intake",), limit=limit)]
    if as_json:
        output.document({"deliveries": listed})
        return
    shown = ("at", "by", "state", "files", "rows", "kept", "duplicates", "quarantined")
    rows = [[each["at"], each["by"], _stage(each), *(_count(each[name]) for name in shown[3:])] for each in listed]
    output.table(localized("cli.deliveries.title"), shown, rows)


def _print_receipt(path: Path, *, as_json: bool) -> None:
    from privacy.deliveries.receipt import verified_receipt

    try:
        envelope = json.loads(path.read_bytes())
    except ValueError as error:
        raise Malformed("delivery.receipt-not-read") from error
    content = verified_receipt(envelope, Home.here().ring)
    shown = content if as_json else {name: each for name, each in content.items() if name != "files"}
    output.result(shown, as_json=as_json, text=localized("cli.delivery.receipt-verifies", files=len(content["files"])))


def mappings(as_json: AsJson = False) -> None:
    """List the mappings of source units that are kept: which files, which table, which columns."""
    ledgers = _ledgers()
    listed = mappings_of(ledgers["custody"]) if "custody" in ledgers else []
    if as_json:
        output.document({"mappings": listed})
        return
    rows = [
        (each["source"], each["table"], ", ".join(each["files"]), _pairs(each["columns"]), _pairs(each["constants"]))
        for each in listed
    ]
    output.table(localized("cli.mappings.title"), ("source", "table", "files", "columns", "constants"), rows)


def repairs(limit: Limit = 20, as_json: AsJson = False) -> None:
    """List repairs and withdrawals: when, by whom, how far each is, and what could not be repaired."""
    listed = [repair_of(state) for state in past_requests(_ledgers(), ("repair", "withdraw"), limit=limit)]
    if as_json:
        output.document({"repairs": listed})
        return
    shown = ("at", "by", "verb", "state", "repaired", "repaired_before", "reason")
    rows = [
        [each["at"], each["by"], each["verb"], _stage(each), each["repaired"], each["repaired_before"], _why(each)]
        for each in listed
    ]
    output.table(localized("cli.repairs.title"), shown, rows)


def _ledgers() -> Mapping[str, Ledger]:
    return {name: ledger for name, ledger in Home.here().ledgers().items() if name in ZONES}


def _stage(each: Mapping[str, Any]) -> str:
    texts = {
        "unconfirmed": localized("cli.requests.unconfirmed"),
        "done": localized("cli.requests.done"),
        "failed": localized("cli.requests.failed"),
        "cancelled": localized("cli.requests.cancelled"),
    }
    return texts.get(each["stage"], localized("cli.requests.waiting"))


def _why(each: Mapping[str, Any]) -> str:
    failures = [*([each["failure"]] if each["failure"] else []), *each["failed"]]
    return "; ".join(dict.fromkeys(error_of(failure).in_language(language_here()) for failure in failures))


def _count(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"


def _pairs(pairs: Mapping[str, str]) -> str:
    return ", ".join(f"{source} → {target}" for source, target in pairs.items())
