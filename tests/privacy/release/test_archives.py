"""Of 机关, 事业单位, 社会组织 and 合作社 the records can be seen, and none leaves for a model or an evaluation."""

from __future__ import annotations

from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from credit.catalogue import Catalogue
from credit.uscc import Uscc
from tests.privacy.small_custody import House, code

CITY = Catalogue.load("city")
ARCHIVES = {
    "government_body": ("11",),
    "public_institution": ("12", "13", "19"),
    "social_organisation": ("31", "51", "52", "53", "59", "81"),
    "cooperative": ("93", "N1", "N2", "N3", "N9"),
}
TITLES = "UNISCID,ENTNAME,ZTLB,LEREP,DOM,DOMDISTRICT,INDUSTRYPHY,ESTDATE,REGORG,REGSTATE\n"


def row(number: int, prefix: str, kind: str) -> str:
    return f"{code(number, prefix)},虚构{number},{kind},甲,某路1号,120101,S,2015-03-02,某局,存续\n"


@pytest.mark.parametrize(("kind", "prefix"), [(kind, each) for kind, some in ARCHIVES.items() for each in some])
def test_the_kind_follows_from_the_code(kind: str, prefix: str) -> None:
    assert Uscc(code(1, prefix)).kind == kind


@pytest.mark.attack
def test_they_are_in_a_release_for_inquiry_and_in_no_other(house: House) -> None:
    house = replace(house, catalogue=CITY)
    firms = "".join(row(n, "91", "enterprise") for n in range(40))
    others = "".join(row(50 + n, some[0], kind) for n, (kind, some) in enumerate(ARCHIVES.items()))
    assert house.bring(registration=TITLES + firms + others).kept == 44
    for purpose, wanted in (("research", 40), ("scoring", 40), ("inquiry", 44)):
        seal = house.release(purpose)
        files = (house.shelf.open(seal.id).path / "registration").glob("*.parquet")
        kinds = [kind for path in files for kind in pq.read_table(path)["kind"].to_pylist()]
        assert len(kinds) == wanted
        assert (set(kinds) > {"enterprise"}) is (purpose == "inquiry")
        assert seal.terms["left_out"].get("registration", {}) == ({} if purpose == "inquiry" else {"archive": 4})


@pytest.mark.attack
def test_a_person_has_no_archive_outside_custody(house: House) -> None:
    """A person without a code of a register is in no release: the rows wait in custody."""
    house = replace(house, catalogue=CITY)
    person = "11010519491231002X,张某,enterprise,甲,某路1号,120101,S,2015-03-02,某局,存续\n"
    report = house.bring(registration=TITLES + person)
    assert (report.kept, report.quarantined) == (0, 1)
