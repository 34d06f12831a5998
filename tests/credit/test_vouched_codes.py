"""A code that a register vouches for is valid everywhere although its check is wrong; no other such code is."""

from __future__ import annotations

from pathlib import Path

import pytest

from credit.errors import Malformed
from credit.subjects import SubjectKind
from credit.uscc import ALPHABET, Uscc, fault_of, org_check, uscc_check
from credit.vouched_codes import vouched_codes


@pytest.mark.parametrize("code", sorted(vouched_codes()))
def test_a_listed_code_is_read_and_its_neighbours_are_not(code: str) -> None:
    assert org_check(code[8:16]) != code[16] or uscc_check(code[:17]) != code[17], "a right code needs no list"
    assert Uscc.parse(code.lower()).code == code
    assert Uscc.parse(code).kind is SubjectKind.ENTERPRISE
    others = [code[:17] + letter for letter in ALPHABET if letter != code[17]]
    assert sum(fault_of(other) is None for other in others) == 1  # the one whose check is right


def test_each_code_of_a_list_has_its_register_and_day(tmp_path: Path) -> None:
    path = tmp_path / "codes.yaml"
    path.write_text("codes:\n  - {code: 919999980000000001}\n", encoding="utf-8")
    with pytest.raises(Malformed):
        vouched_codes(path)
    entry = "  - {code: 919999980000000001, register: 某登记机关, confirmed_on: 2026-01-05}\n"
    path.write_text("codes:\n" + entry, encoding="utf-8")
    vouched_codes.cache_clear()
    assert vouched_codes(path) == {"919999980000000001"}
    path.write_text("codes:\n" + 2 * entry, encoding="utf-8")
    vouched_codes.cache_clear()
    with pytest.raises(Malformed, match="twice"):
        vouched_codes(path)
