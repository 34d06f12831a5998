"""The unified social credit code (统一社会信用代码), GB 32100-2015, with the organisation code of GB 11714 inside it.

A code is 18 characters: 1 registering department, 1 category, 6 digits of the registering division (GB/T 2260), 9 of
the organisation code (8 + its own check) and 1 check character. *Both* checks are verified. The check of the
organisation code uses the full alphabet of 36: with the 31 letters of GB 32100 it would be wrong for every ``MA…``
code. A code that a register vouches for (``vouched_codes.yaml``) is valid although a check of it is wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from credit.errors import Malformed
from credit.messages import Text
from credit.subjects import SubjectKind
from credit.vouched_codes import vouched_codes

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100 §5: no I, O, S, V, Z
USCC_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))  # GB 32100 §5.4: 3^(i-1) mod 31
ORG_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # GB 11714 §4
ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714 §4.2
_AS_DIGITS = bytes.maketrans(ALPHABET.encode(), ORG_ALPHABET[: len(ALPHABET)].encode())
_SHAPE = re.compile(rf"[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{10}}", re.ASCII)
_KINDS = {
    "91": SubjectKind.ENTERPRISE,
    "92": SubjectKind.INDIVIDUAL_BUSINESS,
    "93": SubjectKind.COOPERATIVE,
    **dict.fromkeys(("N1", "N2", "N3", "N9"), SubjectKind.COOPERATIVE),
    "11": SubjectKind.GOVERNMENT_BODY,
    **dict.fromkeys(("12", "13", "19"), SubjectKind.PUBLIC_INSTITUTION),
    **dict.fromkeys(("31", "51", "52", "53", "59", "81"), SubjectKind.SOCIAL_ORGANISATION),
}


def uscc_check(body: str) -> str:
    """The 18th character for the 17 before it, all of the alphabet (GB 32100 §5.4).

    The weights are powers of 3, and 34 is 3 mod 31: the sum is, mod 31, the body read backwards as a number of base 34.
    """
    return ALPHABET[-int(body[::-1].encode().translate(_AS_DIGITS), 34) % 31]


def org_check(body: str) -> str:
    """The 9th character of an organisation code for the 8 before it, no Z among them (GB 11714 §4.2): 10 is X, 11 is 0.

    The weights are 2^8 … 2^1 mod 11, and 35 is 2 mod 11: the sum is, mod 11, twice the body as a number of base 35.
    """
    return "0123456789X0"[11 - 2 * int(body, 35) % 11]


@dataclass(frozen=True, order=True, slots=True)
class Uscc:
    """A valid code, made with :meth:`parse`. Raises :class:`Malformed` when its form or either check is wrong, unless a
    register vouches for it."""

    code: str

    def __post_init__(self) -> None:
        if (fault := fault_of(self.code)) is not None:
            raise Malformed("uscc.not-a-code", why=fault)

    @classmethod
    def parse(cls, text: str) -> Uscc:
        """Read a code; surrounding blanks and lower case are accepted, nothing else.

        Raises :class:`Malformed`, whose message does not repeat the text: it may identify a person.
        """
        return cls(text.strip().upper() if text.isascii() else text)

    @property
    def kind(self) -> SubjectKind:
        """The kind of subject, from the first two characters (91 enterprise, 92 individual business, …)."""
        return _KINDS.get(self.code[:2], SubjectKind.OTHER)

    @property
    def division(self) -> str:
        """The registering division (登记管理机关行政区划), six digits of GB/T 2260.

        Withdrawn divisions are accepted.
        """
        return self.code[2:8]

    def __str__(self) -> str:
        return self.code


def fault_of(code: str) -> Text | None:
    """The fault of a text that is not a valid code, as a message; None for a valid code."""
    if len(code) != 18:
        return Text.of("uscc.wrong-length", count=len(code))
    if not _SHAPE.fullmatch(code):
        return Text.of("uscc.wrong-character")
    if org_check(code[8:16]) != code[16]:
        fault = Text.of("uscc.wrong-organisation-check")
    elif uscc_check(code[:17]) != code[17]:
        fault = Text.of("uscc.wrong-last-check")
    else:
        return None
    return None if code in vouched_codes() else fault


def compose(prefix: str, division: str, serial: str) -> Uscc:
    """A valid code from 2 + 6 + 8 characters, with both check characters computed; for invented subjects and
    surrogates.

    Raises :class:`Malformed` when a part has the wrong length or letters.
    """
    if len(serial) != 8 or not set(serial) <= set(ALPHABET) or len(prefix + division) != 8:
        raise Malformed("uscc.parts-wrong-length")
    if not set(prefix) <= set(ALPHABET) or not division.isdigit():
        raise Malformed("uscc.parts-wrong-character")
    body = prefix + division + serial + org_check(serial)
    return Uscc(body + uscc_check(body))
