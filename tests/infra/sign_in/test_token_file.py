"""A stored token is read when it is this user's alone, and given to the home that it is for."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from credit.errors import Refused
from infra.home import Home
from infra.sign_in.token_file import StoredToken, read_token, remove_token, stored_token, token_path, write_token


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


def stored(home: Home, minutes: float = 60) -> StoredToken:
    until = datetime.now(UTC) + timedelta(minutes=minutes)
    return StoredToken(str(home.root), "http://localhost:8000", "petra", "a-token", until.isoformat())


def test_a_token_is_written_for_this_user_alone_and_read_again(home: Home, env: dict[str, str]) -> None:
    """The file has the mode 0600 in a folder of mode 0700, and is gone after it was removed."""
    path = write_token(home, stored(home), env)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert stored_token(home, env) == "a-token"
    remove_token(home, env)
    remove_token(home, env)
    assert stored_token(home, env) == ""


def test_a_token_shows_itself_in_no_representation(home: Home) -> None:
    """What is logged or printed by accident does not have it."""
    assert "a-token" not in repr(stored(home))


def test_an_expired_token_is_none(home: Home, env: dict[str, str]) -> None:
    """After its end the user is not signed in; what is stored can still be revoked."""
    write_token(home, stored(home, minutes=-1), env)
    assert stored_token(home, env) == ""
    assert read_token(home, env) is not None


def test_a_token_is_given_to_its_own_home_alone(home: Home, env: dict[str, str], tmp_path: Path) -> None:
    """A folder that another user prepared gets no token, also when the file was copied to its name."""
    other = Home(tmp_path / "prepared")
    path = write_token(home, stored(home), env)
    assert stored_token(other, env) == ""
    copied = token_path(other, env)
    copied.write_bytes(path.read_bytes())
    copied.chmod(0o600)
    assert stored_token(other, env) == ""


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620, 0o601])
def test_a_file_that_others_may_open_is_refused(home: Home, env: dict[str, str], mode: int) -> None:
    """Another user who could read it may have it: it is not used any more, and the user reads why."""
    write_token(home, stored(home), env).chmod(mode)
    with pytest.raises(Refused, match=f"mode {mode:04o}"):
        stored_token(home, env)


def test_a_folder_that_others_may_change_is_refused(home: Home, env: dict[str, str]) -> None:
    """Who may write in the folder could put a token of their own there."""
    path = write_token(home, stored(home), env)
    path.parent.chmod(0o777)
    with pytest.raises(Refused):
        stored_token(home, env)
    with pytest.raises(Refused):
        write_token(home, stored(home), env)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(home: Home, env: dict[str, str]) -> None:
    """A token file that was copied with its owner, or put there by another user, is not this user's."""
    path = write_token(home, stored(home), env)
    os.chown(path, 12345, 12345)
    with pytest.raises(Refused):
        stored_token(home, env)


def test_a_link_and_a_pipe_are_refused(home: Home, env: dict[str, str], tmp_path: Path) -> None:
    """A link is not followed, and a pipe is not waited for."""
    path = write_token(home, stored(home), env)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused):
        stored_token(home, env)
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(Refused):
        stored_token(home, env)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"home": 1}', b'"x"'])
def test_a_file_of_another_form_is_refused_in_words(home: Home, env: dict[str, str], content: bytes) -> None:
    """A damaged file ends in a message that says what to do."""
    write_token(home, stored(home), env).write_bytes(content)
    with pytest.raises(Refused, match="haihe login"):
        stored_token(home, env)
