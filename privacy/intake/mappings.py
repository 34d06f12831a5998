"""Mappings (字段映射) of source units: learnt once from a file of YAML, kept in the vault, used for all later files.

::

    source: 示例市监局            # the source unit
    files: ["市监局处罚*.xlsx"]    # what its files are called
    table: administrative_penalty
    columns: {当事人: CF_XDR_MC, 文号: CF_WSH}
    constants: {CF_ZFLY: 市场监管}

A unit's mapping for one table takes the place of its earlier one. The names of files decide whose mapping applies, so a
constant of one unit never reaches another unit's rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from credit.actor import Actor, Role
from credit.canonical import digest_json
from credit.catalogue import Catalogue
from credit.errors import Malformed
from credit.fields import require_keys
from credit.ledger import Ledger
from credit.messages import Text
from privacy.intake.layouts import Learnt
from privacy.vault import Vault

NAME = "_mappings"
_KEYS = {"source", "files", "table", "columns", "constants"}
_SCHEMA = pa.schema([("source", pa.string()), ("table", pa.string()), ("mapping", pa.string())])
_LARGEST = 1 << 20  # bytes of a file of a mapping


def read_mapping(path: Path, catalogue: Catalogue) -> Learnt:
    """The mapping in a file of YAML.

    Raises :class:`Malformed` with what is wrong: not YAML, a key, a table or a field that the catalogue does not have.
    """
    try:
        content = path.read_bytes()[:_LARGEST]
        data = yaml.load(content.decode("utf-8"), Loader=yaml.BaseLoader)
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise Malformed("mappings.not-read", file=path.name, error=type(error).__name__) from error
    require_keys(data, known=_KEYS, needed=_KEYS - {"constants"}, where=path.name)
    files = data["files"] if isinstance(data["files"], list) else [data["files"]]
    learnt = Learnt(
        str(data["source"]),
        tuple(map(str, files)),
        str(data["table"]),
        _texts(data["columns"], path),
        _texts(data.get("constants"), path),
    )
    if learnt.table not in catalogue.tables:
        raise Malformed("mappings.no-table", file=path.name, table=learnt.table)
    names = {field.name for field in catalogue.tables[learnt.table].fields}
    wrong = sorted({*learnt.columns.values(), *learnt.constants} - names)
    if wrong:
        raise Malformed("mappings.no-field", file=path.name, names=", ".join(wrong), table=learnt.table)
    return learnt


def learn(learnt: Learnt, *, vault: Vault, ledger: Ledger, by: Actor) -> None:
    """Keep a mapping; the ledger gets it whole, since it says how later files are read. Raises :class:`Refused` for
    another role."""
    by.require_role(Role.CITY, Role.PLATFORM, act="act.bring-records-in")
    mapping = {"files": list(learnt.files), "columns": dict(learnt.columns), "constants": dict(learnt.constants)}
    row = {"source": learnt.source, "table": learnt.table, "mapping": json.dumps(mapping, ensure_ascii=False)}
    with vault.exclusive():
        rows = vault.read(NAME).to_pylist() if NAME in vault.names() else []
        if row in rows:
            return
        rows = [each for each in rows if (each["source"], each["table"]) != (learnt.source, learnt.table)]
        vault.write(NAME, pa.Table.from_pylist([*rows, row], schema=_SCHEMA))
    details = {"source": learnt.source, "table": learnt.table, "mapping": digest_json(mapping)} | mapping
    ledger.append("mapping.learnt", f"mapping-{learnt.table}", by=by, details=details)


def learnt_mappings(vault: Vault) -> tuple[Learnt, ...]:
    """All mappings that are kept."""
    if NAME not in vault.names():
        return ()
    rows = vault.read(NAME).to_pylist()
    return tuple(_learnt(row["source"], row["table"], json.loads(row["mapping"])) for row in rows)


def _learnt(source: str, table: str, mapping: Mapping[str, Any]) -> Learnt:
    return Learnt(source, tuple(mapping["files"]), table, mapping["columns"], mapping["constants"])


def _texts(data: Any, path: Path) -> dict[str, str]:
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise Malformed(
            "mappings.not-read", why=Text.of("fields.not-mapping", where=path.name), file=path.name, error=""
        )
    return {str(key): str(value) for key, value in data.items()}
