"""What a release for inquiry (查询) says of its own columns: their titles, and who may be shown them.

The class goes with the column as data, so that whoever answers needs no catalogue, and cannot use another one.
"""

from __future__ import annotations

from typing import Any

from credit.catalogue import Table
from credit.fields import INQUIRY, WITH_MANDATE
from privacy import catalogue_roles


def shown(table: Table) -> dict[str, Any]:
    """Titles of a table and its columns, who may be shown each, and the columns that say what of a record.

    ``document`` is the column of the document number (文号), ``scope`` the one by which a single record is shown under
    a mandate though its table is open (``with_mandate`` are its words for that), ``state`` whether a record stands.
    """
    inside = {field.column for field in table.fields if field.rule(INQUIRY) not in ("drop", "subject")}
    columns = {
        field.column: {"title": field.title, "unit": field.unit or "", "shown_to": field.visible_to}
        for field in table.fields
        if field.column in inside
    }
    named = [table.repair_document, *table.key, *table.fields]
    document = next((f.column for f in named if f and f.column in inside and f.column.endswith(DOCUMENTS)), None)
    told = {"document": document, "scope": table.scope and table.scope.column, "with_mandate": list(WITH_MANDATE)}
    state = catalogue_roles.state(table)
    return {
        "title": table.title,
        "english": table.english,
        "source": table.source,
        "shown": columns,
        "order": list(columns),
        **told,
        "state": state and state.column,
        "repairable": table.repair_document is not None,
    }


DOCUMENTS = ("document_number", "case_number", "contract_number", "commitment_code")
