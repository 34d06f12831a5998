"""Reports in figures: what one takes and weighs, and what the answers notice of four PDFs a second drawn beside them.

The service and the process that draws share core 0; the load and the client that requests reports are on core 1.
"""

from __future__ import annotations

import contextlib
import statistics
import threading
import time
from collections.abc import Iterator

import httpx

from bench.record import record
from bench.service import http_speed, load_generator, service_world
from bench.service.jobs import connected
from bench.service.service_world import TODAY
from credit.canonical import canonical
from credit.keys import create_secret
from credit.seal import Kind
from credit.subjects import PseudonymKey
from models.scoring.snapshot_layout import DOSSIERS_FILE, INDEX_FILE, OFFSETS_FILE, SUBJECTS_FILE

RUNS, SECONDS, CONNECTIONS, RATE = 5, 4.0, 4, 4.0


def reports_beside_answers() -> None:
    """Ratios of the answers' p50, p99 and number a second with RATE PDFs a second and without, in pairs."""
    shelve()
    with http_speed._server("serving") as (port, _), connected(port) as bank:
        code = http_speed.world().score_requests[0][0]
        one(bank, code)
        requests, alone, loaded, drawn = http_speed.score_requests(port), [], [], 0
        load_generator.run(port, requests, CONNECTIONS, 1.0)
        for _ in range(RUNS):
            alone.append(load_generator.run(port, requests, CONNECTIONS, SECONDS))
            with report_load(bank, code) as times:
                loaded.append(load_generator.run(port, requests, CONNECTIONS, SECONDS))
            drawn += len(times)
        more = {"runs": RUNS, "seconds": SECONDS, "connections": CONNECTIONS,
                "pdfs_a_second": round(drawn / RUNS / SECONDS, 1)}  # fmt: skip
        for what in ("rps", "p50_ms", "p99_ms"):
            ratios = [getattr(b, what) / getattr(a, what) for a, b in zip(alone, loaded, strict=True)]
            details = {**more, "range": [round(min(ratios), 2), round(max(ratios), 2)],
                    "alone": round(statistics.median(getattr(a, what) for a in alone), 3),
                    "beside": round(statistics.median(getattr(b, what) for b in loaded), 3)}  # fmt: skip
            name, against = f"reports_beside_answers_{what}", "the same service without reports"
            record(name, statistics.median(ratios), "times", against=against, data=http_speed.DATA, more=details)


def one(bank: httpx.Client, code: str) -> None:
    """How long a report of sixty records takes and how large it is, its font within; with no other load."""
    times = []
    for _ in range(1 + 3 * RUNS):
        began = time.monotonic()
        drawn = draw(bank, code)
        times.append(1000 * (time.monotonic() - began))
    first, *others = times  # the first one waits for the library
    more = {"runs": len(others), "first_ms": round(first)}
    record("report_pdf_ms", statistics.median(others), "ms", data=http_speed.DATA, more=more)
    record("report_pdf_kib", len(drawn) / 1024, "KiB", data=http_speed.DATA)


def draw(bank: httpx.Client, code: str) -> bytes:
    """One report as a PDF."""
    details = bank.get(f"/v1/reports/{code}?format=pdf")
    assert details.status_code == 200, details.text
    assert details.content.startswith(b"%PDF-")
    return details.content


@contextlib.contextmanager
def report_load(bank: httpx.Client, code: str) -> Iterator[list[float]]:
    """RATE PDFs a second, asked for one after another, while this lasts; how long each took."""
    over, times = threading.Event(), list[float]()

    def request_reports() -> None:
        while not over.is_set():
            began = time.monotonic()
            draw(bank, code)
            times.append(time.monotonic() - began)
            over.wait(max(0.0, 1 / RATE - times[-1]))

    thread = threading.Thread(target=request_reports)
    thread.start()
    try:
        yield times
    finally:
        over.set()
        thread.join()


def shelve() -> None:
    """Dossiers of one invented firm with sixty records, in the form of `models.snapshots.credit_files`."""
    root, code = http_speed.world().root, http_speed.world().score_requests[0][0]
    key = PseudonymKey("inquiry", create_secret(root / "keys" / "pseudonym-inquiry.key"))
    shown = {name: {"title": title, "unit": "", "shown_to": "anyone"}
             for name, title in (("document_number", "文号"), ("facts", "违法事实"))}  # fmt: skip
    table = {"source": "x", "shown": shown, "columns": list(shown), "document": "document_number", "scope": None,
             "with_mandate": [], "state": None, "repairable": False}  # fmt: skip
    names = {"subject_name": {"title": "名称", "unit": "", "shown_to": "anyone"}}
    tables = {
        "registration": {**table, "title": "登记", "english": "registration", "shown": names, "columns": list(names),
                         "document": None},
        "administrative_penalty": {**table, "title": "行政处罚", "english": "penalties"},
    }  # fmt: skip
    records = [["2026-06-30", None, f"津市监罚〔2026〕{n}号", "未按规定公示年度报告。" * 4] for n in range(60)]
    details = canonical(
        {"registration": [["2015-01-01", None, "海河虚构贸易有限公司"]], "administrative_penalty": records}
    )
    release = service_world._seal(root, Kind.RELEASE, "custody", {"rows": b"none"}, purpose="inquiry")
    offsets = b"".join(number.to_bytes(8, "little") for number in (0, len(details)))
    files = {SUBJECTS_FILE: key.key_of(code).raw, OFFSETS_FILE: offsets,
             DOSSIERS_FILE: details, INDEX_FILE: canonical(tables)}  # fmt: skip
    terms = {"model": "dossiers", "release": release, "as_of": str(TODAY), "subjects": 1, "invented": True}
    seal = service_world._seal(root, Kind.SNAPSHOT, "compute", files, release, **terms)
    pointer = {"model": "dossiers", "snapshot": seal, "as_of": str(TODAY)}
    service_world._point(root, "snapshot-dossiers", pointer)
