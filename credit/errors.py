"""The error tree. A message says what, why and what to do next, and never holds a subject's data.

::

    CreditError
    ├── Malformed            422  exit 2   what was given cannot be read
    ├── Refused              403  exit 3   understood, and not allowed (findings attached)
    │   ├── Unauthenticated  401  exit 3   who is asking is not known
    │   └── Lapsed           503  exit 3   allowed once, its time is over (every seal ends)
    ├── Missing              404  exit 4   there is no such thing
    └── Broken               500  exit 5   a seal, a signature or a chain does not verify

``problem()`` gives the body of RFC 9457 (problem+json); ``exit_code`` is what the command line ends with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from credit.messages import Text, known


class CreditError(Exception):
    """The root: what happened, why, and the remedy (what to do next), each a text that exists in every language.

    ``message`` is the id of a text in the catalogues (:mod:`credit.messages`) or a :class:`~credit.messages.Text`; the
    texts ``<id>.why`` and ``<id>.remedy`` are the reason and the remedy unless `why` and `remedy` are given.
    Parameters of the texts are keyword arguments.
    """

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    slug: ClassVar[str] = "error"

    def __init__(
        self, message: str | Text, *, why: Text | None = None, remedy: Text | None = None, **params: Any
    ) -> None:
        self.message = message if isinstance(message, Text) else Text(message, params)
        self._why, self._remedy = why, remedy
        super().__init__(self.message.id)

    def text(self, part: str, language: str = "en") -> str:
        """``what``, ``why`` or ``remedy`` in ``en`` or ``zh``; empty where there is none."""
        if part == "what":
            return self.message.render(language)
        given = self._why if part == "why" else self._remedy
        if given is not None:
            return given.render(language)
        id = f"{self.message.id}.{part}"
        return Text(id, self.message.params).render(language) if known(id) else ""

    @property
    def what(self) -> str:
        """What happened, in English."""
        return self.text("what")

    @property
    def why(self) -> str:
        """The reason in English, or an empty text."""
        return self.text("why")

    @property
    def remedy(self) -> str:
        """What to do next in English, or an empty text."""
        return self.text("remedy")

    @property
    def reason(self) -> Text:
        """The reason as a message, to be passed on in another error."""
        return self._why or Text(f"{self.message.id}.why", self.message.params)

    @property
    def advice(self) -> Text:
        """The remedy as a message, to be passed on in another error."""
        return self._remedy or Text(f"{self.message.id}.remedy", self.message.params)

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), dict(self.__dict__))

    def __str__(self) -> str:
        return self.in_language("en")

    def in_language(self, language: str) -> str:
        """The whole error as one line of text."""
        what, why, remedy = (self.text(part, language) for part in ("what", "why", "remedy"))
        if language == "zh":
            return "。".join(part for part in (f"{what}：{why}" if why else what, remedy) if part)
        text = f"{what}: {why}" if why else what
        return f"{text}. {remedy}" if remedy else text

    def problem(self, language: str = "en") -> dict[str, Any]:
        """The error as an RFC 9457 problem document in a language."""
        return {
            "type": f"urn:haihe:problem:{self.slug}",
            "title": self.text("what", language),
            "status": self.status,
            "detail": self.text("why", language),
            "remedy": self.text("remedy", language),
        }


def _again(kind: type[CreditError], state: dict[str, Any]) -> CreditError:
    """An error that was sent from one process to another, with all that it held there."""
    error = kind.__new__(kind, state["message"].id)
    error.__dict__.update(state)
    return error


class Malformed(CreditError):
    """What was given cannot be read (HTTP 422)."""

    status, exit_code, slug = 422, 2, "malformed"


class Refused(CreditError):
    """Understood and not allowed (HTTP 403); ``findings`` say which checks did not pass."""

    status, exit_code, slug = 403, 3, "refused"

    def __init__(
        self,
        message: str | Text,
        *,
        why: Text | None = None,
        remedy: Text | None = None,
        findings: Sequence[Any] = (),
        **params: Any,
    ) -> None:
        super().__init__(message, why=why, remedy=remedy, **params)
        self.findings = tuple(findings)

    def problem(self, language: str = "en") -> dict[str, Any]:
        """As for every error, with the findings of the gate that refused."""
        findings = [
            finding.as_json(language) if hasattr(finding, "as_json") else str(finding) for finding in self.findings
        ]
        return super().problem(language) | ({"findings": findings} if findings else {})


class Unauthenticated(Refused):
    """Who is asking is not known (HTTP 401)."""

    status, slug = 401, "unauthenticated"


class Lapsed(Refused):
    """It was good once and its time is over (HTTP 503): an expired seal, a stale snapshot."""

    status, slug = 503, "lapsed"


class Missing(CreditError):
    """There is no such thing (HTTP 404)."""

    status, exit_code, slug = 404, 4, "missing"


class Broken(CreditError):
    """A seal, a signature or a chain does not verify (HTTP 500)."""

    status, exit_code, slug = 500, 5, "broken"
