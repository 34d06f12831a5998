"""The verb ``airlock check``: the gate of the airlock on a folder, so that anyone can try what would leave of it."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from credit.errors import Malformed, Refused
from credit.messages import Text, language_here
from infra import output
from infra.language.texts import localized
from infra.verbs.options import AsJson

if TYPE_CHECKING:
    from lab.airlock.gate import ParcelJudgement

airlock_app = typer.Typer(help="Try what may leave the lab.")


def add_to(app: typer.Typer) -> None:
    """Add this group to the command line."""
    app.add_typer(airlock_app, name="airlock", no_args_is_help=True)


@airlock_app.callback()
def airlock() -> None:
    """Try what may leave the lab."""


@airlock_app.command("check")
def check_folder(
    folder: Annotated[Path, typer.Argument(help="The folder with the files of the parcel.")],
    context: Annotated[Path, typer.Option(help="The parcel's context as JSON: title, purpose, files, releases.")],
    out: Annotated[Path, typer.Option(help="The folder for the files that would leave; it is made here.")],
    as_json: AsJson = False,
) -> None:
    """Check the files of a folder by the airlock's gate, and write what would leave.

    Nothing is submitted, and no earlier parcel is compared. Where the files may not leave, nothing is written, the
    findings say why, and the exit code is 3.
    """
    from lab.airlock.gate import judge_parcel

    if out.exists() or out.is_symlink():
        raise Malformed("airlock-check.folder-exists", name=out.name)
    files, description = _files(folder), _context(context)
    judgement = judge_parcel(files, context=description)
    leaves = len(judgement.files) == len(files) and all(each.leaving for each in judgement.files.values())
    passed = judgement.verdict.outcome.value != "fail" and leaves  # of a model, only the shelf knows what would leave
    if passed:
        _write(out, judgement.leaving)
    spelled = description.in_one_spelling().renamed(judgement.names).as_json()
    data = {
        "outcome": judgement.verdict.outcome.value,
        "findings": [each.stored() for each in judgement.verdict.findings],
        "files": {name: len(content) for name, content in judgement.leaving.items()} if passed else {},
        "context": spelled if passed else {},
    }
    if as_json:
        output.document(data)
    else:
        _print(judgement, data)
    if not passed:
        raise typer.Exit(Refused.exit_code)


def _files(folder: Path) -> dict[str, bytes]:
    """The files of a folder by name, no link and no folder among them; raises :class:`Malformed`."""
    if not folder.is_dir():
        raise Malformed("airlock-check.no-folder", name=folder.name)
    entries = sorted(folder.iterdir())
    if any(each.is_symlink() or not each.is_file() for each in entries):
        raise Malformed("airlock-check.files-alone", name=folder.name)
    return {each.name: each.read_bytes() for each in entries}


def _context(path: Path) -> Any:
    from lab.airlock.parcel_context import ParcelContext

    try:
        return ParcelContext.parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError, TypeError) as error:
        if isinstance(error, Malformed):
            raise
        raise Malformed("airlock-check.no-context", name=path.name, why=Text.verbatim(type(error).__name__)) from error


def _write(out: Path, leaving: dict[str, bytes]) -> None:
    """Write the files in one step: the folder appears with all of them, or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".airlock-", dir=out.parent))
    try:
        for name, content in leaving.items():
            (made / name).write_bytes(content)
        made.chmod(0o755)
        made.rename(out)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _print(judgement: ParcelJudgement, data: dict[str, Any]) -> None:
    rows = [
        (each.outcome.value, each.check, each.reason(language_here()))
        for each in judgement.verdict.findings
        if each.outcome.value != "pass"
    ]
    if rows:
        output.table(localized("cli.airlock.findings"), ("outcome", "check", "found"), rows)
    if data["files"]:
        output.result(data["files"], as_json=False, text=localized("cli.airlock.leaves"))
