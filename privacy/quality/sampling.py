"""A signed random sample for checks of what was never reported (瞒报).

What a unit kept back cannot be drawn, so places are drawn at which to look: a source unit, an item and a day, any day
of the month. An inspector compares the unit's own register of cases on that day with the document numbers that the
platform has. The places are those with the smallest SHA-256 of seed and place; the seed follows from the id
of the request, which the front desk gives. Anyone with the file can check the signature and draw again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from credit.actor import Actor
from credit.canonical import digest, digest_json
from credit.catalogue import Catalogue, Table
from credit.envelope import sign_envelope, verify_envelope
from credit.errors import Broken, Malformed
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from privacy.duckdb_engine import Engine, engine, quoted, text
from privacy.quality.measures import span_of
from privacy.quality.rules import QualityRules
from privacy.vault import Vault

SAMPLE = "application/vnd.haihe.quality-sample+json"
DRAWN = "quality.sampled"
Place = tuple[str, str, str]  # item, source unit, day


def draw_places(frame: Mapping[str, Any], seed: str, size: int) -> list[Place]:
    """The ``size`` places of a frame (units by item, days) whose digest with the seed is smallest, in that order."""
    places = [(item, unit, day) for item, units in frame["units"].items() for unit in units for day in frame["days"]]
    return sorted(places, key=lambda place: digest("\x1f".join((seed, *place)).encode()))[:size]


def draw_sample(
    month: str,
    *,
    request: str,
    catalogue: Catalogue,
    vault: Vault,
    rules: QualityRules,
    key: SigningKey,
    ledger: Ledger,
    by: Actor,
    size: int | None = None,
) -> dict[str, Any]:
    """Draw a sample of a month, enter it in the ledger and return it as a signed envelope.

    ``request`` is the id of the request, from which the seed follows: carried out twice it draws the same places.
    A sample that was drawn again until it suited is seen by its entries.
    """
    first, last = span_of(month)
    seed = digest(f"{request}\x1f{month}".encode())
    days = [first + timedelta(n) for n in range((last - first).days + 1)]
    with engine() as run:
        by_name = {
            name: _register(run, catalogue.tables[name], vault, rules)
            for name in rules.items
            if name in catalogue.tables
        }
        registers = {name: each for name, each in by_name.items() if each is not None}
        frame = {
            "units": {name: each.units() for name, each in registers.items()},
            "days": [day.isoformat() for day in days],
        }
        drawn = draw_places(frame, seed, rules.sample_size if size is None else size)
        places = [
            {"item": item, "source": unit, "day": day, "documents": registers[item].documents(unit, day)}
            for item, unit, day in drawn
        ]
    content = {"month": month, "seed": seed, "frame": frame, "by": str(by), "places": places}
    envelope = sign_envelope(content, SAMPLE, key)
    name = f"sample-{seed[:32]}"
    if not any(entry.verb == DRAWN for entry in ledger.about(name)):
        details = {"month": month, "seed": seed, "frame": digest_json(frame), "sample": digest_json(content)}
        ledger.append(DRAWN, name, by=by, details=details | {"places": len(drawn)})
    return envelope


def check_sample(envelope: Any, ring: KeyRing) -> dict[str, Any]:
    """The content of a sample that custody signed and whose places are those that its seed draws.

    Raises :class:`Broken` otherwise.
    """
    content = verify_envelope(envelope, SAMPLE, ring, {"custody"})
    try:
        places = [(each["item"], each["source"], each["day"]) for each in content["places"]]
        drawn = draw_places(content["frame"], content["seed"], len(places))
    except (KeyError, TypeError, AttributeError) as error:
        raise Malformed("quality.sample-not-readable") from error
    if places != drawn:
        raise Broken("quality.sample-not-as-drawn")
    return content


@dataclass(frozen=True, slots=True)
class _Register:
    """An item as the platform has it: its rows under a name in the engine, and who decided what on which day."""

    run: Engine
    name: str
    unit: str
    number: str
    day: str

    def units(self) -> list[str]:
        """Every unit that has ever sent a record: one that sends no more is in the frame too."""
        return [
            row[0]
            for row in self.run.rows(f"SELECT DISTINCT {self.unit} FROM {self.name} WHERE {self.unit} <> '' ORDER BY 1")
        ]

    def documents(self, unit: str, day: str) -> list[str]:
        """The document numbers of a unit and a day; empty for a document that says it has none."""
        where = f"{self.unit} = {text(unit)} AND {self.day} = DATE {text(day)}"
        rows = self.run.rows(f"SELECT coalesce({self.number}, '') FROM {self.name} WHERE {where} ORDER BY 1")
        return [row[0] for row in rows]


def _register(run: Engine, table: Table, vault: Vault, rules: QualityRules) -> _Register | None:
    names = {field.column for field in table.fields}
    unit = next((column for column in reversed(rules.source_columns) if column in names), None)
    number = next((field.column for field in table.fields if field.number), None)
    happened = table.time.happened
    if unit is None or number is None or happened is None or table.name not in vault.names():
        return None
    run.register(f"rows_of_{table.name}", vault.read(table.name, [unit, number, happened.column]))
    return _Register(run, f"rows_of_{table.name}", quoted(unit), quoted(number), quoted(happened.column))
