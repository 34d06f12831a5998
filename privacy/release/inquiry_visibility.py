"""The description of its own columns in a release for inquiry (查询): their titles, and who may see them.

The release contains it as data, so that the service needs no catalogue and cannot use a different one.
"""

from __future__ import annotations

from typing import Any

from credit.catalogue import Table
from credit.fields import INQUIRY, WITH_MANDATE
from privacy import catalogue_roles
from privacy.release.exclusion_rules import in_certificates


def visibility(table: Table) -> dict[str, Any]:
    """The titles of a table and its columns, who may see each column, and the columns with a role.

    ``document`` is the column of the document number (文号). ``scope`` is the column by which a single record needs a
    mandate although its table is open, when its value is one of ``with_mandate``. ``state`` is the column that says
    whether a record is valid. ``certificate`` says that the release has the minor and ended records too, which are for
    a special report (信用代证) alone.
    """
    released = {field.column for field in table.fields if field.rule(INQUIRY) not in ("drop", "subject")}
    columns = {
        field.column: {"title": field.title, "unit": field.unit or "", "shown_to": field.visible_to}
        for field in table.fields
        if field.column in released
    }
    named = [table.repair_document, *table.key, *table.fields]
    document = next((f.column for f in named if f and f.column in released and f.column.endswith(DOCUMENTS)), None)
    roles = {"document": document, "scope": table.scope and table.scope.column, "with_mandate": list(WITH_MANDATE)}
    state = catalogue_roles.state_field(table)
    return {
        "title": table.title,
        "english": table.english,
        "source": table.source,
        "shown": columns,
        "order": list(columns),
        **roles,
        "state": state and state.column,
        "repairable": table.repair_document is not None,
        "certificate": in_certificates(table),
    }


DOCUMENTS = ("document_number", "case_number", "contract_number", "commitment_code")
