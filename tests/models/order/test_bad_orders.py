"""What cannot become a model is refused in words before a run is logged, and leaves nothing on the shelf."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from credit.errors import CreditError, Lapsed, Malformed, Refused
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.seal import Kind
from credit.shelf import OpenedSeal, Shelf
from models.dataset.leakage import leaking_features, require_no_leak
from models.distributed.ray_cluster import in_process
from models.features.duckdb_engine import Limits
from models.order.order import Order
from models.registry.mlflow_registry import Registry
from models.training.pipeline import train
from tests.models import invented
from tests.models import invented_release as made

Keys = Mapping[str, SigningKey]
Act = Callable[..., Any]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="module")
def shelf(place: Path, ring: KeyRing) -> Shelf:
    return Shelf(place / "shelf", ring)


@pytest.fixture(scope="module")
def release(shelf: Shelf, keys: Keys) -> OpenedSeal:
    return made.release(shelf, keys["custody"], subjects=300)


@pytest.fixture
def tried(shelf: Shelf, place: Path, keys: Keys, ring: KeyRing, release: OpenedSeal, mlflow_server: str) -> Act:
    """Train what is not fit to be: raises what it raises, once it is sure that nothing was kept."""
    registry, ledger = Registry(mlflow_server), Ledger(place / "ledger.jsonl", keys["compute"], ring)
    office = {"shelf": shelf, "key": keys["compute"], "by": made.RESEARCHER, "ledger": ledger, "tracking": registry}
    office["answered"] = made.answered(ledger)

    def act(
        *, on: OpenedSeal | None = None, today: date | None = None, limits: Limits | None = None, **changes: Any
    ) -> Any:
        order = made.order(shelf, keys["research"], on or release, model="of_a_bad_order", **changes)
        try:
            return train(order, tasks=in_process(), today=today, limits=limits, **office)  # type: ignore[arg-type]
        except CreditError:
            assert registry.list_runs("of_a_bad_order") == []
            assert shelf.list(Kind.VERSION) == []
            assert not list((shelf.root / ".making").iterdir())
            assert "version.made" not in {entry.verb for entry in ledger.entries()}
            raise

    return act


def feature(value: str, joins: str = "", tables: tuple[str, ...] = ("registration",)) -> dict[str, Any]:
    """An order of one feature."""
    description = {"name": "v", "title": "v", "direction": 0, "reason": {"zh": "v", "en": "v"}}
    sql = f"SELECT o.subject, {value} AS v FROM observation o LEFT JOIN registration r USING (subject) {joins}"
    return {"features": [description], "tables": list(tables), "sql": sql}


LOANS = ("registration", "loan_performance")
EVER = "LEFT JOIN (SELECT subject, max(overdue_days) AS d FROM loan_performance GROUP BY subject) l USING (subject)"
# 30 rows a subject four times over: some hundred million rows a bucket
HOURS = (
    "LEFT JOIN (SELECT a.subject, count(*) AS d FROM loan_performance a JOIN loan_performance b USING (subject) "
    "JOIN loan_performance c USING (subject) JOIN loan_performance e USING (subject) "
    "WHERE a.overdue_days + b.overdue_days + c.overdue_days + e.overdue_days <> 7 GROUP BY a.subject) l USING (subject)"
)
YEAR = {"table": "loan_performance", "when": "overdue_days >= 90", "window_months": 12}
EARLY = {
    "observe": {"every_months": 3, "first": "2024-07-01", "last": "2025-01-01"},
    "split": {"out_of_time_from": None, "folds": 3},
}


@pytest.mark.servers
@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        (
            {"label": YEAR, **EARLY, **feature("l.d", EVER, LOANS)},
            Refused,
            r"predicts the label.*v \(AUC .*accept_leak",
        ),
        ({"label": made.declaration()["label"] | {"when": "overdue_days >= 9999"}}, Refused, "one outcome"),
        (feature("0 * length(CAST(r.registered_on AS VARCHAR))"), Refused, "every feature has one value"),
        (feature("1 / (year(r.registered_on) - year(r.registered_on))"), Malformed, "v is infinite.*nullif"),
        (feature("r.kind"), Malformed, "v is a VARCHAR.*a feature must be a number"),
        (feature("l.d", EVER), Malformed, "loan_performance"),
        (feature("l.d", HOURS, LOANS) | {"limits": Limits(seconds=0.5)}, Refused, "takes too long.*0.5 s a bucket"),
        ({"limits": Limits(memory="1MB", spill="0KB")}, Refused, "too much memory.*1MB a bucket"),
        ({"today": date(2027, 1, 1)}, Lapsed, "lapsed"),
    ],
)
def test_it_is_refused_and_nothing_is_kept(
    tried: Act, changes: dict[str, Any], kind: type[CreditError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        tried(**changes)


@pytest.mark.servers
def test_thirty_rows_are_no_sample(tried: Act, shelf: Shelf, keys: Keys) -> None:
    few = made.release(shelf, keys["custody"], subjects=30)
    with pytest.raises(Refused, match="rows to learn from, and at least 100 are needed"):
        tried(on=few, observe={"every_months": 3, "first": "2025-01-01", "last": "2025-01-01"}, split=EARLY["split"])


def test_a_leak_is_detected_by_its_value_or_its_presence_and_may_be_accepted() -> None:
    sample = invented.sample(300, late=False)
    order = Order.parse(made.declaration(**feature("1")))
    assert leaking_features(sample) == {}
    place = sample.names.index("noise")
    for leak in (sample.labels * -1.0, np.where(sample.labels == 1, 5.0, np.nan)):
        sample.features[:, place] = leak
        assert leaking_features(sample) == {"noise": 1.0}
        with pytest.raises(Refused, match=r"noise \(AUC 1.000 alone\).*training.accept_leak: \[noise\]"):
            require_no_leak(order, sample)
    declared = invented.declaration(training={"accept_leak": ["noise"]})
    accepted = Order.parse({**made.declaration(), **declared, "sql": "SELECT 1", "split": EARLY["split"]})
    require_no_leak(accepted, sample)


FULL = """
import subprocess, sys
from pathlib import Path
from credit.errors import CreditError
from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.seal import Kind
from credit.shelf import Shelf
from models.distributed.ray_cluster import in_process
from models.registry.mlflow_registry import Registry
from models.training.pipeline import train
from tests.models import invented_release as made
root, uri, size = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "none", str(root)], check=True)
for zone in ("custody", "research", "compute"):
    key = SigningKey.create(root / "keys", zone)
    (root / "ring").mkdir(exist_ok=True)
    (root / "ring" / f"{zone}.pem").write_bytes(key.public_pem())
ring = KeyRing.load(root / "ring")
shelf, keys = Shelf(root / "shelf", ring), {z: SigningKey.load(root / "keys", z) for z in ("custody", "research")}
order = made.order(shelf, keys["research"], made.release(shelf, keys["custody"], subjects=300), model="full")
ledger = Ledger(root / "ledger.jsonl", key, ring)
fill = root / "fill"
def once(step, done, total):
    if step == "search" and not fill.exists():
        with open(fill, "wb", buffering=0) as stream:
            try:
                while True:
                    stream.write(bytes(4096))
            except OSError:
                pass
def tried():
    try:
        made_now = train(order, shelf=shelf, key=key, by=made.RESEARCHER, ledger=ledger, tracking=Registry(uri),
              answered=made.answered(ledger), tasks=in_process(), progress=once)
        return "made"
    except CreditError as error:
        return f"{type(error).__name__} {error}"
print(tried())
print(len(shelf.list(Kind.VERSION)), len(list((shelf.root / ".making").iterdir())), Registry(uri).list_runs("full"))
fill.write_bytes(b"")
print(tried(), len(shelf.list(Kind.VERSION)), len(Registry(uri).list_runs("full")), len(list(ledger.entries())))
"""


@pytest.mark.servers
def test_a_full_disk_is_reported_and_nothing_is_half_made(tmp_path: Path, mlflow_server: str) -> None:
    alone = ["unshare", "-rm"]
    if subprocess.run([*alone, "mount", "-t", "tmpfs", "none", str(tmp_path)], capture_output=True).returncode:
        pytest.skip("this machine permits no mount of a small disk")
    command = [*alone, sys.executable, "-c", FULL, str(tmp_path), mlflow_server, "3000"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3], timeout=120)
    lines = done.stdout.splitlines()
    assert len(lines) == 3, done.stderr[-2000:]
    assert lines[0].startswith("Refused There is no space left on the disk")
    assert lines[1:] == ["0 0 []", "made 1 1 5"]
