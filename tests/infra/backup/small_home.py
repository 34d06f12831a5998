"""A small real home: keys, a ledger, a vault of two periods, a seal, a database, and a workspace with a link."""

from __future__ import annotations

import os
import socket
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pyarrow as pa

from credit.actor import Actor, Role
from credit.keys import load_secret
from credit.seal import Kind
from infra.home import Home
from privacy.storage.change import PERIOD
from privacy.vault import Vault

BOB, CITY = Actor("bob", Role.PLATFORM), Actor("chen", Role.CITY)
ENDS = date(2030, 1, 1)


def vault_of(home: Home) -> Vault:
    return Vault(home.root / "raw", load_secret(home.keys("custody") / "raw.key"))


def add_rows(home: Home, period: str, *values: int) -> None:
    vault = vault_of(home)
    batch = pa.RecordBatch.from_pylist([{"a": value, PERIOD: period} for value in values])
    with vault.exclusive(), vault.change() as change:
        change.append("things", [batch])


def values_of(home: Home) -> list[int]:
    return sorted(vault_of(home).read("things").column("a").to_pylist())


def seal_something(home: Home, text: str) -> str:
    """A release on the shelf, and after it the entry that names it."""
    shelf = home.shelf
    with shelf.staging() as folder:
        (folder / "data.txt").write_text(text)
        key = home.key("custody")
        seal = shelf.put(folder, Kind.RELEASE, parents=(), terms={"of": text}, expires_on=ENDS, by=CITY, key=key)
    home.ledger("custody", writing=True).append("release.made", seal.id, by=CITY)
    return seal.id


def add_client(home: Home, name: str) -> None:
    (home.root / "service").mkdir(exist_ok=True)
    with closing(sqlite3.connect(home.root / "service" / "access.db")) as database, database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE IF NOT EXISTS clients (name TEXT)")
        database.execute("INSERT INTO clients VALUES (?)", (name,))


def clients_of(home: Home) -> list[str]:
    with closing(sqlite3.connect(home.root / "service" / "access.db")) as database:
        return [name for (name,) in database.execute("SELECT name FROM clients ORDER BY rowid")]


def small_home(root: Path) -> Home:
    home = Home(root)
    home.ensure_keys()
    home.begin_ledgers()
    for number in range(5):
        home.ledger("platform", writing=True).append("release.made", f"release-{number}", by=BOB)
    add_rows(home, "2015", 7)
    add_rows(home, "2016", 8)
    seal_something(home, "first")
    add_client(home, "harbour-bank")
    work = root / "lab" / "homes" / "alice"
    work.mkdir(parents=True)
    (work / "notes.txt").write_text("notes")
    (work / "elsewhere").symlink_to("/etc/hostname")
    (work / "empty").mkdir(mode=0o711)
    (root / "logs").mkdir()
    (root / "logs" / "hub.log").write_text("started")
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        here = os.getcwd()
        os.chdir(root)  # the name of a socket is short
        listening.bind("desk-socket")
        os.chdir(here)
    return home
