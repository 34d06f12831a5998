"""Help and usage errors in the language of the shell. In an English shell they are what Typer prints.

Typer writes all help through a formatter, which translates here each text that it is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import IO, Any

import typer
from typer._click.exceptions import BadParameter, MissingParameter, NoArgsIsHelpError, NoSuchOption, UsageError
from typer._click.formatting import HelpFormatter

from credit.messages import language_here
from infra.language.texts import columns, localized, translated, visible

EXTRA = re.compile(r"^(?P<help>.*?)(?:^|  )\[(?P<extra>[^\]]*)\]$", re.DOTALL)  # "How many.  [default: 3; required]"
SUGGESTION = ". Did you mean "  # after the message of Typer for an unknown verb
GAP = 2  # columns between an option and its help
WIDEST_TERM = 30  # columns: a longer option has its help on the next line, as in Typer


class TranslatedHelp(HelpFormatter):
    """Writes help in Chinese; a Chinese character takes two columns."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the line with which a verb is called."""
        super().write_usage(prog, args, prefix=localized("cli.usage") if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        """Write the title of a section."""
        self.write(f"{'':>{self.current_indent}}{translated(heading)}：\n")

    def write_text(self, text: str) -> None:
        """Write paragraphs, each translated as a whole."""
        indent = " " * self.current_indent
        paragraphs = [translated(" ".join(each.split())) for each in text.split("\n\n")]
        lines = [[f"{indent}{line}\n" for line in wrapped(each, self.width - len(indent))] for each in paragraphs]
        self.write("\n".join("".join(each) for each in lines))

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = WIDEST_TERM, col_spacing: int = GAP) -> None:
        """Write terms with their help beside them: options, arguments, verbs."""
        first = min(max((columns(term) for term, _ in rows), default=0), col_max) + col_spacing
        indent = " " * self.current_indent
        for term, text in rows:
            lines = wrapped(_option_help(text), max(self.width - len(indent) - first, 20)) or [""]
            on_one_line = columns(term) <= first - col_spacing
            self.write(f"{indent}{term}{' ' * (first - columns(term)) if on_one_line else ''}")
            self.write(f"{lines.pop(0)}\n" if on_one_line else "\n")
            self.write("".join(f"{indent}{' ' * first}{line}\n" for line in lines))


class HelpContext(typer.Context):
    """The context of a verb, whose help is written in the language of the shell."""

    def make_formatter(self) -> HelpFormatter:
        """The formatter of this context's help."""
        if language_here() == "en":
            return super().make_formatter()
        return TranslatedHelp(width=self.terminal_width, max_width=self.max_content_width)


def translate_help(command: Any) -> None:
    """Have the help of a command, and of those below it, in the language of the shell."""
    command.context_class = HelpContext
    for below in getattr(command, "commands", {}).values():
        translate_help(below)
        if language_here() != "en":  # Typer cuts a long English one, which then has no translation
            below.short_help = translated(" ".join((below.help or "").split("\n\n")[0].split()))


def _option_help(text: str) -> str:
    """The help of an option with what Typer appends to it: its default, its variable, whether it is required."""
    match = EXTRA.match(text)
    if match is None:
        return translated(" ".join(text.split()))
    extra = "；".join(_extra(each) for each in match["extra"].split("; "))
    return " ".join(filter(None, [translated(match["help"]), f"[{extra}]"]))


def _extra(text: str) -> str:
    name, colon, value = text.partition(": ")
    return f"{translated(name)}：{translated(value)}" if colon else translated(text)


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most ``width`` columns, broken between Chinese characters or at spaces."""
    lines, line = [], ""
    for piece in re.findall(r"[!-~]+[，。；：、）？！]*|.[，。；：、）？！]*", text):
        if columns(line + piece) > width and line:
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
    return [*lines, line.rstrip()] if line.strip() else lines


@contextmanager
def usage_errors() -> Iterator[None]:
    """Have the errors of a misspelt command line print themselves in the language of the shell."""
    try:
        yield
    except UsageError as error:
        if language_here() != "en" and not isinstance(error, NoArgsIsHelpError):
            error.show = partial(_show, error)  # type: ignore[method-assign]
        raise


def _show(error: UsageError, file: IO[Any] | None = None) -> None:
    if error.ctx is not None:
        typer.echo(error.ctx.get_usage(), file=file, err=file is None)
        typer.echo(
            f"{localized('cli.usage.help', command=f'{error.ctx.command_path} --help')}\n", file=file, err=file is None
        )
    typer.echo(localized("cli.usage.error", problem=visible(problem(error))), file=file, err=file is None)


def problem(error: UsageError) -> str:
    """What is wrong with the command line, in a sentence; of an error not known here, the words of Typer."""
    if isinstance(error, MissingParameter) and error.param is not None:
        return localized("cli.usage.missing", name=_name(error))
    if isinstance(error, NoSuchOption):
        near = "、".join(error.possibilities or ())
        return localized("cli.usage.no-option", name=error.option_name) + (
            localized("cli.usage.near", names=near) if near else ""
        )
    if isinstance(error, BadParameter) and error.param is not None:
        known = translated(error.message)
        if known != error.message:
            return localized("cli.usage.bad-value-why", name=_name(error), why=known)
        kind = error.param.display_type_rich(error.ctx) if error.ctx else ""
        return localized("cli.usage.bad-value", name=_name(error), type=kind)
    what, suggested, names = error.message.partition(SUGGESTION)
    near = localized("cli.usage.near", names=names.rstrip("?")) if suggested else ""
    return translated(f"{what}." if suggested else what) + near


def _name(error: BadParameter) -> str:
    """How the command line calls a parameter: ``--period``, or the name of an argument."""
    assert error.param is not None
    return error.param.get_error_hint()
