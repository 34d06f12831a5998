"""A document is what its bytes are, within its bound; of it the ledger holds the digest alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credit.errors import Malformed
from serving.mandates.documents import MEDIA, MOST_BYTES, media_type_of

from .conftest import FIRM, PDF, MandateWorld, b64, wanted

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8) + b"IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + bytes(8) + b"\xff\xd9"
WRONG = [
    b"MZ" + bytes(64), b"PK\x03\x04" + bytes(64), b"\x7fELF" + bytes(64), b"", b"  \n ", b"%PDF-1.7 cut off", PNG[:-4],
    b"GIF89a" + bytes(32), b"\x00text", b"text\x1b[2J", bytes(200), "é".encode("latin-1"), b"\xff\xfe" + b"a\x00",
    "We allow\u009b8m it.".encode(), "until \u202e1302-10-13\u202c".encode(), "\u2067not\u2069 allowed".encode(),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "media"), [
    (PDF, "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg"), ("兹授权……\n".encode(), "text/plain"),
])  # fmt: skip
def test_a_document_is_stored_privately_and_named_by_its_digest(mandates: MandateWorld, raw: bytes, media: str) -> None:
    response = mandates.apply(FIRM, "document", b64(raw))
    assert response.status_code == 200, response.text
    name, root = response.json()["application_id"], mandates.world.root
    assert mandates.store.document(name) == (media, raw)
    assert response.json()["receipt"]["digest"] == hashlib.sha256(raw).hexdigest()
    assert all(file.stat().st_mode & 0o077 == 0 for file in root.glob("access.db*"))
    for ledger in root.glob("*.jsonl"):
        assert raw not in ledger.read_bytes()


@pytest.mark.attack
@pytest.mark.parametrize("raw", WRONG)
def test_what_is_no_document_is_refused(mandates: MandateWorld, raw: bytes) -> None:
    response = mandates.apply(FIRM, "document", b64(raw))
    assert response.status_code == 422, response.text
    assert not mandates.running.entries("application.requested")


@pytest.mark.attack
def test_documents_are_bounded(mandates: MandateWorld) -> None:
    whole = PDF[:-6] + bytes(MOST_BYTES - len(PDF)) + PDF[-6:]
    assert len(whole) == MOST_BYTES
    assert mandates.apply(FIRM, "document", b64(whole)).status_code == 200
    assert mandates.apply(FIRM, "document", b64(whole[:-6] + b"x" + PDF[-6:])).status_code == 413
    assert mandates.apply(FIRM, "document", "A" * (3 << 19)).status_code == 413
    assert mandates.apply(FIRM, "document", "A" * (5 << 20)).status_code == 413
    for text in ("%%%", "QUJ", "Q\nUJD", "ＡＢＣＤ"):
        assert mandates.apply(FIRM, "document", text).status_code == 422, text


@pytest.mark.attack
@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_have_one_of_the_types_or_none(raw: bytes) -> None:
    try:
        media = media_type_of(raw)
    except Malformed:
        return
    assert media in MEDIA
    assert media != "text/plain" or raw.decode("utf-8").strip()


def test_no_document_is_in_the_folder_of_the_lab_as_a_file(mandates: MandateWorld) -> None:
    mandates.apply(FIRM, "document", b64(PDF))
    assert not list(Path(mandates.world.root).rglob("*.pdf"))


@pytest.mark.attack
def test_a_bank_fills_no_disk_with_documents_that_wait(mandates: MandateWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.mandates.applications.MOST_DOCUMENTS", 3)
    assert mandates.apply(FIRM, "document", b64(PDF)).status_code == 200
    body = {"applications": [wanted(FIRM, "document", b64(PDF)) for _ in range(3)]}
    assert mandates.post("/v1/mandates/batch", body).status_code == 429
    assert [mandates.apply(FIRM, "document", b64(PDF)).status_code for _ in range(3)] == [200, 200, 429]
    assert mandates.apply(FIRM, "document", b64(PDF), bank="jincheng").status_code == 200
    assert mandates.apply(FIRM, "page").status_code == 200
