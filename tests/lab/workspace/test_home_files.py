"""No link in a home, of whatever shape and put there at whatever moment, leads the server to a file outside."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.workspace.files.home_files import HomeFiles

pytestmark = pytest.mark.attack

SECRET, OUTSIDE = b"the token", "outside"
LINKS: tuple[Callable[[Path, Path], object], ...] = (  # each puts something called `place` that leads to `target`
    lambda place, target: os.symlink(target, place),
    lambda place, target: os.symlink(os.path.relpath(target, place.parent), place),
    lambda place, target: (os.symlink(target, f"{place}.1"), os.symlink(f"{place}.1", place)),
    lambda place, target: os.symlink(f"/proc/self/cwd/../..{target}", place),
    lambda place, target: os.symlink(f"/proc/self/root{target}", place),
    lambda place, target: os.symlink(f"//{target}", place),
    lambda place, target: os.symlink(place, place),
    lambda place, target: os.mkfifo(place),
)
PATHS = st.lists(st.sampled_from(["a", "b", "..", ".", "", "a\0", "link", OUTSIDE]), min_size=1, max_size=5)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    (folder / "a" / "b").mkdir(parents=True)
    (tmp_path / OUTSIDE).mkdir()
    (tmp_path / OUTSIDE / "secret").write_bytes(SECRET)
    return folder


def acts(files: HomeFiles, path: str) -> Iterator[Callable[[], object]]:
    """Everything that the server does with a path."""
    yield lambda: files.read(path, 1 << 20)
    yield lambda: files.names(path)
    yield lambda: files.write(path, b"mine")
    yield lambda: files.make_folder(path)
    yield lambda: files.rename(path, "a/renamed")
    yield lambda: files.remove(path)


def outside(home: Path) -> dict[str, bytes]:
    """What lies outside, to be compared."""
    return {path.name: path.read_bytes() for path in (home.parent / OUTSIDE).iterdir()}


@pytest.mark.parametrize("shape", range(len(LINKS)))
@pytest.mark.parametrize("inside", ["link", "link/secret", "a/link", "a/link/secret", "a/../link/secret"])
def test_a_link_of_any_shape_leads_nowhere(home: Path, shape: int, inside: str) -> None:
    for place in (home / "link", home / "a" / "link"):
        LINKS[shape](place, home.parent / OUTSIDE / ("" if inside.endswith("secret") else "secret"))
    before, files = outside(home), HomeFiles(home)
    for act in acts(files, inside):
        with suppress(OSError):
            result = act()
            assert SECRET not in repr(result).encode()
            assert "secret" not in repr(result)
    assert outside(home) == before


@given(parts=PATHS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_path_leads_out_of_the_home(home: Path, parts: list[str]) -> None:
    if not os.path.lexists(home / "link"):
        os.symlink("..", home / "link")
    before = outside(home)
    for act in acts(HomeFiles(home), "/".join(parts)):
        with suppress(OSError):
            assert SECRET not in repr(act()).encode()
    assert outside(home) == before
    assert (home.parent / "home").is_dir()


def test_a_link_that_is_put_in_place_between_two_calls_leads_nowhere(home: Path) -> None:
    """A kernel exchanges a folder and a file for links, all the time, while the server reads and writes."""
    files, over = HomeFiles(home), threading.Event()
    before = outside(home)
    (home / "file").write_bytes(b"mine")

    def exchange() -> None:
        while not over.is_set():
            for name, target in (("a", home.parent / OUTSIDE), ("file", home.parent / OUTSIDE / "secret")):
                with suppress(OSError):
                    os.symlink(target, home / f".{name}")
                    os.rename(home / name, home / f"..{name}")
                    os.rename(home / f".{name}", home / name)
                    os.rename(home / name, home / f".{name}")
                    os.rename(home / f"..{name}", home / name)
                    os.unlink(home / f".{name}")

    kernel = threading.Thread(target=exchange)
    kernel.start()
    try:
        for _ in range(400):
            for act in (
                lambda: files.read("file", 99),
                lambda: files.read("a/secret", 99),
                lambda: files.names("a"),
                lambda: files.write("a/secret", b"mine"),
                lambda: files.remove("a/secret"),
            ):
                with suppress(OSError):
                    assert SECRET not in repr(act()).encode()
    finally:
        over.set()
        kernel.join()
    assert outside(home) == before


def test_a_file_appears_whole_and_in_place_of_a_link(home: Path) -> None:
    os.symlink(home.parent / OUTSIDE / "secret", home / "a" / "x.txt")
    HomeFiles(home).write("a/x.txt", b"whole")
    assert (home / "a" / "x.txt").read_bytes() == b"whole"
    assert not (home / "a" / "x.txt").is_symlink()
    assert os.listdir(home / "a") in (["x.txt", "b"], ["b", "x.txt"]), "and leaves nothing beside it"
    assert outside(home)["secret"] == SECRET


def test_the_server_does_not_wait_at_a_pipe(home: Path) -> None:
    os.mkfifo(home / "pipe")
    with pytest.raises(OSError, match="regular"):
        HomeFiles(home).read("pipe", 99)
    assert [name for name, _ in HomeFiles(home).names("")] == ["a"]
