"""The verbs of ``applications``, which banks make for mandates by the API, and of ``subject``: keys of subjects."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from credit.actor import Role
from infra import output
from infra.home import Home
from infra.language.texts import localized
from infra.verbs.options import AsJson, By
from infra.verbs.requesting import carry_out, require_named

application_app = typer.Typer(help="See the applications of banks for mandates, and confirm or refuse them.")
subject_app = typer.Typer(help="Register what a subject uses to act for itself.")
ApplicationId = Annotated[str, typer.Argument(metavar="APPLICATION", help="Its id, or that of a whole batch.")]
Code = Annotated[str, typer.Argument(metavar="USCC", help="The subject's code.")]


def add_to(app: typer.Typer) -> None:
    """Add both groups to the command line."""
    app.add_typer(application_app, name="applications", no_args_is_help=True)
    app.add_typer(subject_app, name="subject", no_args_is_help=True)


@application_app.command("list")
def list_applications(by: By = "", as_json: AsJson = False) -> None:
    """List the applications that wait for a person or for the subject."""
    made = carry_out(Home.here(), "application", {"act": "list"}, by=by)
    rows = made.private["applications"]
    if as_json:
        output.document({"applications": rows})
        return
    columns = ("application", "bank", "evidence", "purpose", "until", "batch", "at")
    output.table(localized("cli.applications.title"), columns, [tuple(row[name] for name in columns) for row in rows])


@application_app.command("show")
def show_application(
    application: ApplicationId,
    save: Annotated[Path | None, typer.Option(help="Write its document into this file, mode 0600.")] = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Show an application, and save its document to look at it."""
    from credit.files import write_atomically

    row: dict[str, Any] = carry_out(
        Home.here(), "application", {"act": "show", "application": application}, by=by
    ).private["application"]
    content = base64.b64decode(row.pop("content"))
    if save is not None:
        write_atomically(save, content, mode=0o600)
        row["saved"] = str(save)
    output.result(row, as_json=as_json)


@application_app.command("confirm")
def confirm_application(application: ApplicationId, by: By = "", as_json: AsJson = False) -> None:
    """Confirm an application, or a whole batch, as the second person; the platform then signs its mandate."""
    _decide("confirm", application, "", by, as_json)


@application_app.command("refuse")
def refuse_application(
    application: ApplicationId,
    why: Annotated[str, typer.Option(help="What the bank will read; it names no person.")],
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Refuse an application, or a whole batch; its documents are deleted."""
    _decide("refuse", application, why, by, as_json)


@subject_app.command("key")
def register_key(
    uscc: Code,
    key: Annotated[Path | None, typer.Option(help="The subject's public key (a JWK, Ed25519 or P-256).")] = None,
    drop: Annotated[str, typer.Option(help="Take a key back: its thumbprint (RFC 7638).")] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Register the key that a subject signs consents with, or take one back. The platform signs it."""
    from credit.uscc import Uscc

    require_named(by, (Role.PLATFORM,), act="act.register-subject-key")
    arguments: dict[str, Any] = {"uscc": Uscc.parse(uscc).code}
    arguments |= {"drop": drop} if drop else {"key": json.loads(key.read_text()) if key else None}
    made = carry_out(Home.here(), "subject-key", arguments, by=by)
    output.result({"thumbprint": made.last["thumbprint"]}, as_json=as_json, text=localized("cli.changed"))


@subject_app.command("link")
def give_link(uscc: Code, by: By = "", as_json: AsJson = False) -> None:
    """Make a link that opens a subject's own page once, to give to the subject after checking who it is."""
    from credit.uscc import Uscc

    require_named(by, (Role.PLATFORM,), act="act.give-subject-link")
    made = carry_out(Home.here(), "subject-link", {"uscc": Uscc.parse(uscc).code}, by=by)
    output.result({"link": made.private["link"], "days": made.last["days"]}, as_json=as_json)


def _decide(act: str, application: str, why: str, by: str, as_json: bool) -> None:
    arguments = {"act": act, "application": application, **({"why": why} if why else {})}
    made = carry_out(Home.here(), "application", arguments, by=by)
    data = {"application": application, "decided": made.last["decided"]}
    output.result(data, as_json=as_json, text=localized("cli.answered"))
