"""The verbs of monitoring: the report of a champion, and the alerts that are open."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from credit.alerts import open_alerts, read_alerts
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs import options
from infra.verbs.options import AsJson, By, Today
from infra.verbs.requesting import carry_out

REPORTED = ("month", "watch", "state", "rows", "value", "limit", "p")
ALERTS = ("alert", "model", "watch", "since", "value", "limit", "p", "acknowledged_by")
FEATURES = ("feature", "missing")  # their watches are shown when they alarm, and are all in the JSON


def add_to(app: typer.Typer) -> None:
    """Add these verbs to the command line."""
    app.command()(monitor)
    app.command()(alerts)


def monitor(
    model: Annotated[str, typer.Argument(help="A model; its version in production is meant.")],
    today: Today = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Report on a model in production: what arrives, and how good it was as labels ripen.

    Each value stands beside its limit at this number of rows. What alarms becomes an alert in the ledger.
    """
    made = carry_out(Home.here(), "monitor", {"model": model}, by=by, today=options.requested_day(today))
    report = {**made.private["report"], "raised": made.last["raised"]}
    if as_json:
        output.document(report)
        return
    shown = [each for each in report["results"] if each["state"] == "alarm" or _kind(each["watch"]) not in FEATURES]
    rows = [tuple(_cell(each[name]) for name in REPORTED) for each in shown]
    output.table(localized("cli.monitor.title", model=model, reference=report["reference"]), REPORTED, rows)
    hidden = len(report["results"]) - len(shown)
    output.message("cli.monitor.features", count=hidden)
    if not made.last["outcomes"]:
        output.message("cli.monitor.no-outcomes")
    for alert in report["alerts"]:
        output.message("cli.monitor.alert", alert=alert["alert"], watch=alert["watch"], since=alert["since"])
        _advise(_kind(alert["watch"]))


def alerts(
    acknowledge: Annotated[str, typer.Option(metavar="ALERT", help="Acknowledge this alert.")] = "",
    reason: Annotated[str, typer.Option(help="Why, and what is done about it; the ledger keeps it.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Show those that were acknowledged too.")] = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """List the open alerts of monitoring, or acknowledge one with a reason."""
    home = Home.here()
    if acknowledge:
        carry_out(home, "acknowledge", {"alert": acknowledge, "why": reason}, by=by)
    ledgers = home.ledger("compute"), home.ledger("platform")
    listed = [alert.as_json() for alert in (read_alerts if everything else open_alerts)(*ledgers)]
    if as_json:
        output.document({"alerts": listed})
        return
    rows = [tuple(_cell(each[name]) for name in ALERTS) for each in listed]
    output.table(localized("cli.alerts.title"), ALERTS, rows)


def _advise(kind: str) -> None:
    """Say what to do about an alert of this kind."""
    match kind:
        case "score":
            output.message("cli.monitor.do-score")
        case "feature":
            output.message("cli.monitor.do-feature")
        case "missing":
            output.message("cli.monitor.do-missing")
        case "discrimination":
            output.message("cli.monitor.do-discrimination")
        case _:
            output.message("cli.monitor.do-calibration")


def _kind(watch: str) -> str:
    return watch.partition(":")[0]


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)
