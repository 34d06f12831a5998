"""A package is a trust zone: it imports only what the design permits, and few files import an outside library."""

from __future__ import annotations

import ast
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "serving/client"  # a distribution of its own
OURS = ("credit", "privacy", "lab", "models", "serving", "infra")
MAY_IMPORT = {  # package -> the packages or single modules of ours it may import
    "credit": (),
    "privacy": ("credit",),
    "lab": (
        "credit",
        "privacy.disclosure",
        "models.features.feature_sql",
        "models.order.order",
        "models.features.views",
        "models.features.duckdb_engine",
        "models.rows.request",
        "models.tables.request",
        "models.measuring.request",
        "models.order.sealed_order",
        "models.tables.table_sql",
        "models.scoring.trees.model_text",
        "models.scoring.trees.written_text",
    ),
    "models": ("credit", "privacy.disclosure"),
    "serving": (
        "credit",
        "models.scoring.scorer",
        "models.scoring.scorecard",
        "models.scoring.evaluation",
        "models.scoring.snapshot_layout",
    ),
    "infra": ("credit", "privacy", "lab", "models", "serving"),
}
IMPORTERS = {  # outside library -> the only files that may import it
    "cryptography": (
        "credit/keys.py",
        "credit/subjects.py",
        "privacy/storage/encryption.py",
        "lab/console/cookies.py",
        "serving/http/forwarded.py",
    ),
    "nacl": ("credit/keys.py",),
    "python_calamine": ("privacy/files/processes/workbook_process.py",),
    "xlsxwriter": ("privacy/quarantine/annotated.py",),
    "chinese_calendar": ("privacy/quality/working_days.py",),
    "yaml": (
        "models/evaluation/shipped.py",
        "credit/usage_rights.py",
        "credit/vouched_codes.py",
        "credit/catalogue.py",
        "privacy/release/policy.py",
        "privacy/deliveries/manifest.py",
        "privacy/intake/mappings.py",
        "privacy/quality/rules.py",
        "privacy/themes/theme.py",
        "privacy/repair_periods.py",
        "models/order/order.py",
        "models/promotion/gate.py",
        "models/monitoring/thresholds.py",
        "models/privacy/floors.py",
        "models/rows/policy.py",
        "models/tables/policy.py",
        "lab/console/rendering/translations.py",
        "lab/airlock/thresholds.py",
        "lab/gateway/display_pace.py",
        "lab/accounts/policy.py",
        "serving/data/declarations.py",
        "serving/app/openapi/texts.py",
    ),
    "ray": (
        "models/distributed/ray_cluster.py",
        "models/distributed/cluster_token.py",
        "models/distributed/ray_worker_group.py",
    ),
    "mlflow": ("models/registry/mlflow_registry.py",),
    "sqlglot": (
        "lab/airlock/choices/idle_sql.py",
        "models/lineage/lineage.py",
        "models/lineage/origins.py",
        "models/features/sql_parser.py",
        "models/features/sql_scopes.py",
        "models/tables/table_sql.py",
        "models/features/value_choices.py",
        "lab/airlock/kinds/texts/sql_parsing.py",
    ),
    "optbinning": ("models/validation/woe_benchmark/bins.py",),
    "scipy": tuple(
        f"models/monitoring/{name}.py"
        for name in ("calibration_watch", "delong", "discrimination_watch", "distribution_shift", "run_length")
    ),
    "optuna": ("models/boosting/sampler.py",),
    "lightgbm": ("models/boosting/booster.py", "models/boosting/sharded_growth.py"),
    "numba": (
        "models/scoring/trees/numba_compile.py",
        "models/scoring/trees/array_pointers.py",
        "models/scoring/treeshap/simd.py",
    ),
    "llvmlite": ("models/scoring/trees/array_pointers.py", "models/scoring/treeshap/simd.py"),
    "jwt": tuple(f"serving/auth/{name}.py" for name in ("tokens", "claims", "dpop")),
    "msgspec": (
        "credit/ledger/segments/closed_segment.py",
        "serving/auth/claims.py",
        "serving/auth/dpop.py",
        "serving/auth/tokens.py",
        "serving/idempotency/stored_answer.py",
        "serving/responses/request_schemas.py",
        "serving/responses/live_schemas.py",
        "serving/endpoints/scores/batch.py",
    ),
    "prometheus_client": ("serving/observability/metrics.py",),
    "opentelemetry": ("serving/observability/traces.py",),
    "argon2": ("lab/accounts/slow_hash.py",),
    "jinja2": (
        "lab/console/rendering/render.py",
        "models/snapshots/migration_report.py",
        "serving/endpoints/reports/report_html.py",
        "serving/endpoints/subject/pages.py",
    ),
    "reportlab": ("serving/endpoints/reports/report_pdf.py", "serving/endpoints/reports/pdf_archive.py"),
    "uharfbuzz": ("serving/endpoints/reports/typeface.py",),
    "matplotlib": (
        "lab/library/display/plots.py",
        "models/training/plots.py",
    ),
    "uvicorn": (
        "lab/console/__main__.py",
        "lab/gateway/sockets/connection.py",
        "lab/gateway/sockets/listening.py",
        "serving/entrypoints/worker.py",
    ),
    **dict.fromkeys(("nh3", "mistune"), ("lab/workspace/outputs/html.py",)),
    "zxcvbn": ("lab/airlock/words/vocabulary.py",),
    "rjieba": ("lab/airlock/words/chinese_words.py",),
    "defusedxml": ("lab/workspace/outputs/pictures.py",),
    "PIL": ("lab/airlock/kinds/pictures/reduced.py", "lab/console/rendering/redrawing.py"),
}
IMPORTERS_BY_ZONE = {
    "duckdb": ("privacy/duckdb_engine.py", "models/features/duckdb_engine.py", "lab/library/duckdb_views.py")
}


@cache  # each file is read once, not once for every library
def imported(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


@cache
def modules() -> list[Path]:
    paths = [path for package in OURS for path in sorted((ROOT / package).rglob("*.py"))]
    return [path for path in paths if not path.is_relative_to(CLIENT)]


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_zone_imports_what_it_may(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    for name in imported(path):
        if name.split(".")[0] in OURS:
            allowed = (package, *MAY_IMPORT[package])
            assert any(name == a or name.startswith(f"{a}.") for a in allowed), f"{package} may not import {name}"


@pytest.mark.parametrize("library", [*IMPORTERS, *IMPORTERS_BY_ZONE])
def test_an_outside_library_is_imported_only_where_listed(library: str) -> None:
    importers = {**IMPORTERS, **IMPORTERS_BY_ZONE}[library]
    users = {
        path.relative_to(ROOT).as_posix()
        for path in modules()
        if any(name.split(".")[0] == library for name in imported(path))
    }
    users = {user for user in users if not user.startswith("infra/")}  # the machinery starts what it must
    assert users <= set(importers), f"{library} is also used by {users - set(importers)}"
    assert users, f"no file imports {library}: remove it from the table"


def test_the_service_opens_parquet_in_one_process_alone() -> None:
    users = [path for path in (ROOT / "serving").rglob("*.py") if any("pyarrow" in name for name in imported(path))]
    assert users == [ROOT / "serving/endpoints/batch_jobs/parquet.py"]
    assert not [path for path in modules() if "serving.endpoints.batch_jobs.parquet" in imported(path)]


def test_nothing_imports_the_machinery() -> None:
    for path in modules():
        if path.relative_to(ROOT).parts[0] != "infra":
            assert not any(name.split(".")[0] == "infra" for name in imported(path)), path


def test_the_service_is_installed_without_the_cluster() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    service = " ".join(extras["service"])
    assert not any(name in service for name in ("ray", "mlflow", "jupyterhub", "duckdb"))


def test_the_banks_client_imports_httpx_and_cryptography_and_nothing_of_ours() -> None:
    files = sorted(CLIENT.rglob("*.py"))
    names = {name.split(".")[0] for path in files for name in imported(path)}
    assert len(files) > 8
    assert names - set(sys.stdlib_module_names) == {"haihe_client", "httpx", "cryptography"}
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]
    assert {each.partition(">")[0] for each in project["dependencies"]} == {"httpx", "cryptography"}


def test_no_zone_uses_the_banks_client() -> None:
    users = [path for path in modules() if any(name.split(".")[0] == "haihe_client" for name in imported(path))]
    assert users
    assert all(path.is_relative_to(ROOT / "infra") for path in users)
