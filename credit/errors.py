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


class CreditError(Exception):
    """The root: ``what`` happened, ``why``, and the ``remedy`` (what to do next)."""

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    slug: ClassVar[str] = "error"

    def __init__(self, what: str, *, why: str = "", remedy: str = "") -> None:
        self.what, self.why, self.remedy = what, why, remedy
        super().__init__(what, why, remedy)

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), dict(self.__dict__))

    def __str__(self) -> str:
        text = f"{self.what}: {self.why}" if self.why else self.what
        return f"{text}. {self.remedy}" if self.remedy else text

    def problem(self) -> dict[str, Any]:
        """The error as an RFC 9457 problem document."""
        return {
            "type": f"urn:haihe:problem:{self.slug}",
            "title": self.what,
            "status": self.status,
            "detail": self.why,
            "remedy": self.remedy,
        }


def _again(kind: type[CreditError], told: dict[str, Any]) -> CreditError:
    """An error that crossed a border between processes, whole."""
    return kind(**told)


class Malformed(CreditError):
    """What was given cannot be read (HTTP 422)."""

    status, exit_code, slug = 422, 2, "malformed"


class Refused(CreditError):
    """Understood and not allowed (HTTP 403); ``findings`` say which checks did not pass."""

    status, exit_code, slug = 403, 3, "refused"

    def __init__(self, what: str, *, why: str = "", remedy: str = "", findings: Sequence[Any] = ()) -> None:
        super().__init__(what, why=why, remedy=remedy)
        self.findings = tuple(findings)

    def problem(self) -> dict[str, Any]:
        """As for every error, with the findings of the gate that refused."""
        found = [finding.as_json() if hasattr(finding, "as_json") else str(finding) for finding in self.findings]
        return super().problem() | ({"findings": found} if found else {})


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
