"""The page of rejected rows is its owner's alone, holds what stands in them as text, and has both languages."""

from __future__ import annotations

import os
import socket
import stat
from html import escape
from pathlib import Path

import pytest

from credit.errors import Malformed
from privacy.quarantine.listing import shown_rows, waiting_counts, waiting_rows
from privacy.quarantine.page import write_page
from tests.privacy.small_custody import TODAY, House, code, register_of

HEAD = "CODE,DOCUMENT,DAY,KNOWN,UNTIL,FINE,SEVERITY,STATE,NOTE\n"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def page(house: House, tmp_path: Path) -> Path:
    house.bring(registration=register_of(9))
    rows = f"{code(1)},D1,2024-03-01,,,{SCRIPT},minor,normal,\n{code(2)},D2,2024-03-01,,,y,minor,normal,\n"
    assert house.bring(administrative_penalty=HEAD + rows).quarantined == 2
    path = tmp_path / "pages" / "rows.html"
    write_page(shown_rows(waiting_rows(house.vault), house.catalogue), house.catalogue, path, "zh", TODAY)
    return path


def test_it_has_the_rows_and_their_markup_is_text(page: Path) -> None:
    content = page.read_text(encoding="utf-8")
    for shown in ("administrative_penalty.csv", "D1", "D2", "罚款", "不是可以读取的数", escape(SCRIPT), 'lang="zh-CN"'):
        assert shown in content
    assert "<script" not in content
    assert "src=" not in content
    assert "href=" not in content


def test_only_its_owner_reads_it_also_where_the_file_was_there_before(page: Path, house: House) -> None:
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    page.chmod(0o644)
    write_page([], house.catalogue, page, "en", TODAY)
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert "0 rows wait" in page.read_text(encoding="utf-8")


@pytest.mark.attack
@pytest.mark.parametrize("lies", ["link", "broken link", "pipe", "folder", "socket"])
def test_where_no_plain_file_lies_it_is_refused_in_words(page: Path, house: House, tmp_path: Path, lies: str) -> None:
    other, place = tmp_path / "other", page.parent / "there.html"
    other.write_text("kept")
    with socket.socket(socket.AF_UNIX) as bound:
        match lies:
            case "link" | "broken link":
                place.symlink_to(other if lies == "link" else tmp_path / "nothing")
            case "pipe":
                os.mkfifo(place)
            case "folder":
                place.mkdir()
            case _:
                bound.bind(os.path.relpath(place))
        with pytest.raises(Malformed) as refused:
            write_page([], house.catalogue, place, "en", TODAY)
    assert refused.value.what
    assert refused.value.why
    assert refused.value.remedy
    assert other.read_text() == "kept"
    assert not (tmp_path / "nothing").exists()


@pytest.mark.attack
@pytest.mark.parametrize("name", ["raw.key", "files.list", "signing-custody.pem", "rows", "rows.html.key", ".html"])
def test_no_file_of_custody_is_written_over(house: House, tmp_path: Path, name: str) -> None:
    """The path comes from a request: a page lies in a file that ends with .html, as no key and no table does."""
    (tmp_path / name).write_text("kept")
    with pytest.raises(Malformed, match=r"\.html"):
        write_page([], house.catalogue, tmp_path / name, "en", TODAY)
    assert (tmp_path / name).read_text() == "kept"


@pytest.mark.usefixtures("page")
def test_the_counts_have_no_value_and_no_name_of_a_file(house: House) -> None:
    [counted] = waiting_counts(waiting_rows(house.vault))
    assert (counted["table"], counted["field"], counted["rows"]) == ("administrative_penalty", "FINE", 2)
    assert not [each for each in ("D1", SCRIPT, ".csv") if each in str(counted)]
