"""Credit files in the service's small test world, in the form that `models.snapshots.credit_files` makes."""

from __future__ import annotations

from datetime import date
from typing import Any

from serving_world import AS_OF, codes

from credit.canonical import canonical
from credit.keys import load_secret
from credit.seal import Kind
from credit.subjects import PseudonymKey
from models.scoring.snapshot_layout import DOSSIERS_FILE, INDEX_FILE, OFFSETS_FILE, SUBJECTS_FILE

FIRM, OTHER = codes("enterprise", 2)
SHOP = codes("individual_business", 1)[0]
UNKNOWN = codes("enterprise", 99)[-1]


def _table(title: str, columns: dict[str, str], **more: Any) -> dict[str, Any]:
    shown = {name: {"title": name, "unit": "", "shown_to": audience} for name, audience in columns.items()}
    description = {
        "title": title,
        "english": title,
        "source": "x",
        "shown": shown,
        "columns": list(columns),
        "document": None,
        "scope": None,
        "with_mandate": ["授权查询"],
        "state": None,
        "repairable": False,
    }
    return description | more


OPEN, NUMBER = "anyone", "document_number"
TABLES = {
    "registration": _table("登记", {"subject_name": OPEN, "kind": OPEN, "industry": OPEN, "address": OPEN}),
    "administrative_licence": _table("行政许可", {NUMBER: OPEN, "content": OPEN}, document=NUMBER),
    "administrative_penalty": _table(
        "行政处罚",
        {"document_number": OPEN, "facts": OPEN, "severity": OPEN, "use_scope": OPEN, "record_state": OPEN,
         "agency_domain": OPEN},
        document="document_number", scope="use_scope", state="record_state", repairable=True,
        certificate=True,
    ),
    "serious_dishonesty_list": _table("严重失信", {NUMBER: OPEN}, document=NUMBER, repairable=True,
                                      certificate=True),
    "contract_performance": _table("合同履约", {"contract_number": "mandate", "amount": "mandate"},
                                   document="contract_number"),
}  # fmt: skip


def register(name: str, kind: str = "enterprise", industry: str = "C") -> dict[str, Any]:
    return {"registration": [["2015-01-01", None, name, kind, industry, "一个地址"]]}


def penalty(document: str, *, day: str = "2026-06-30", ends: str | None = None, scope: str = "公示",
            facts: str = "无照经营", severity: str = "general", state: str = "normal",
            domain: str = "市场监管") -> list[Any]:  # fmt: skip
    return [day, ends, document, facts, severity, scope, state, domain]


RECORDS: dict[str, dict[str, Any]] = {
    FIRM: register("海河虚构贸易有限公司") | {
        "administrative_penalty": [
            penalty("罚1号"), penalty("罚2号", ends="2026-11-21"), penalty("罚3号", scope="授权查询"),
            penalty("罚4号", state="disputed"), penalty("罚5号", ends="2026-11-20"),
        ],
        "administrative_licence": [["2026-01-01", None, f"许{n}号", "内容"] for n in range(25)],
        "contract_performance": [["2026-01-01", None, "合同1号", 12.5]],
    },
    OTHER: register("海河虚构房地产有限公司", industry="K"),
    SHOP: register("海河虚构小吃店", "individual_business", "H") | {"administrative_penalty": [penalty("店罚1号")]},
}  # fmt: skip


def shelve(world: Any, records: dict[str, dict[str, Any]] | None = None, *, as_of: date = AS_OF) -> str:
    """Seal credit files of these records and set the pointer to them; gives the seal's id."""
    key = PseudonymKey("inquiry", load_secret(world.root / "keys" / "pseudonym-inquiry.key"))
    sorted_records = sorted(
        (key.key_of(code).raw, canonical(records_of)) for code, records_of in (records or RECORDS).items()
    )
    keys, offsets, text = b"", (0).to_bytes(8, "little"), b""
    for raw, content in sorted_records:
        keys, text = keys + raw, text + content
        offsets += len(text).to_bytes(8, "little")
    release = world.seal(Kind.RELEASE, "custody", {"rows": b"none"}, purpose="inquiry", as_of=str(as_of))
    files = {SUBJECTS_FILE: keys, OFFSETS_FILE: offsets, DOSSIERS_FILE: text, INDEX_FILE: canonical(TABLES)}
    terms = {
        "model": "dossiers",
        "release": release,
        "as_of": str(as_of),
        "subjects": len(sorted_records),
        "invented": True,
    }
    seal = str(world.seal(Kind.SNAPSHOT, "compute", files, (release,), **terms))
    world.shelf.set_pointer("snapshot-dossiers", {"model": "dossiers", "snapshot": seal, "as_of": str(as_of)},
                      world.key("platform"))  # fmt: skip
    return seal


def headers(running: Any, client: str = "bohai", **more: str) -> dict[str, str]:
    """The headers of a client's request."""
    return {"Authorization": f"Bearer {running.token(client)}", **more}


def post_query(running: Any, name: str, code: str = FIRM, client: str = "bohai", **more: Any) -> Any:
    """Send one query."""
    return running.http.post(f"/v1/queries/{name}", json={"uscc": code, **more}, headers=headers(running, client))


def documents(response: Any) -> list[str]:
    """The document numbers in an answer."""
    assert response.status_code == 200, response.text
    return [record["document"] for record in response.json()["records"]]
