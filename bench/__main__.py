"""Measure every figure, or those that are named: ``python -m bench [FIGURE …]``.

A module is imported when one of its figures runs.
"""

from __future__ import annotations

import importlib
import os
import shutil
import sys

MODULES = {  # module -> the figures it measures, in the order in which they run
    "flows.demo_steps": ("road_step_seconds", "road_step_rss_mib", "road_rows_per_second"),
    "service.scores": ("score_in_process_p50_us",),
    "service.http_speed": (
        "http_rps",
        "http_p50_ms",
        "http_p99_ms",
        "http_vs_plain_fastapi",
        "http_keyed_ratio",
        "http_through_proxy_ratio",
    ),
    "service.conversations": ("conversations_tried", "wrong_identity", "connections_killed"),
    "service.servers": ("http_servers_rps",),
    "service.http_cost": ("http_cost_us",),
    "service.live_score_cost": ("live_cost_us",),
    "service.jobs": ("job_lines_per_second", "job_beside_answers"),
    "service.reports": ("reports_beside_answers",),
    "peers.comparison": ("http_vs_best_peer", "http_live_vs_best_peer"),
    "service.swaps_and_kills": ("swap_failed_requests", "kill_lost_entries", "soak_rss_growth_mib"),
    "service.roll_backs": ("rollback_seconds", "promotion_failed_requests", "alias_undone_seconds"),
    "service.chaos": (
        "chaos_failed",
        "chaos_entries_lost",
        "chaos_entries_unanswered",
        "chaos_rss_growth_mib",
        "hung_after_full_disk",
    ),
    "service.model_extraction": ("extraction_spearman_250",),
    "service.whole_city": ("worker_rss_mib_710k", "start_to_ready_seconds"),
    "compute.rebuild": ("rebuild_digest_equal",),
    "intake.rows_unaccounted": ("rows_unaccounted",),
    "intake.speed": ("intake_rows_per_second",),
    "intake.city_size": (
        "intake_rss_mib_2m",
        "intake_rss_mib_20m",
        "intake_rss_mib_100m",
        "growth_2m_20m",
        "delivery_seconds_1m_into_20m",
        "release_ratio_20m",
    ),
    "intake.shredding": ("shredded_recovered",),
    "flows.repairs": ("repair_to_answer_seconds",),
    "flows.private_keys": ("keys_in_one_process",),
    "flows.gateway": ("gateway_requests_per_second",),
    "flows.workspaces": (
        "login_to_cell_seconds",
        "spawn_p50_seconds",
        "workspace_idle_mib",
        "workspaces_at_once",
        "attacks_tried",
    ),
    "flows.hidden_reads": ("unseen_reads", "unseen_code"),
    "flows.output_escapes": ("output_escapes_tried", "output_escapes_succeeded"),
    "compute.reasons": ("reasons_speedup_1", "reasons_speedup_10k", "reasons_row_us", "reasons_first_seconds"),
    "compute.evaluate": (
        "evaluate_features_710k_seconds",
        "evaluate_score_710k_seconds",
        "evaluate_peak_rss_mib",
    ),
    "compute.evaluation_sheets": ("evaluation_sheets_710k_seconds",),
    "compute.features": ("features_per_million_records_seconds",),
    "compute.memorising": ("memorising_caught", "honest_refused", "model_auc_loss", "membership_tpr_defaulted"),
    "compute.parallel": (
        "data_parallel_time_ratio",
        "data_parallel_auc_diff",
        "tune_speedup_2_workers",
        "tune_pruning_speedup",
    ),
    "compute.tables": ("table_isolations_tried", "table_isolated"),
    "compute.rows": (
        "rows_alone_all_knowing",
        "rows_guess_right_all_knowing",
        "rows_alone_3_records",
        "rows_alone_3_records_register",
        "rows_guess_right",
        "rows_alone_bank",
        "rows_alone_partner",
        "rows_auc_loss",
        "rows_auc_loss_individual",
        "rows_seconds",
        "rows_rss_mib",
        "rows_frontier",
    ),
    "airlock.smuggling": (
        "smuggled_bits_tables",
        "smuggled_bits_text",
        "smuggled_bits_same_meaning",
        "smuggled_bits_notebooks",
        "smuggled_bits_pictures",
        "smuggled_bits_models",
        "unseen_bits_per_parcel",
    ),
    "airlock.honest": ("honest_parcels_returned",),
    "airlock.differencing": ("differencing_tried", "differencing_isolated", "differencing_honest_failed"),
    "monitoring.alarms": (
        "false_alarms_20_years",
        "months_to_see_auc_fall_17k",
        "months_to_see_auc_fall_1700",
        "months_to_see_calibration_shift_17k",
    ),
    "separation": ("separation_matrix_tried", "separation_matrix_failed"),
    "market_columns": ("market_columns_at_agencies",),
    "ledger.ten_million": (
        "ledger_open_ms_10m",
        "ledger_lookup_ms_10m",
        "ledger_verify_per_second",
        "ledger_appends_per_second",
    ),
    "ledger.cut_tail": ("cut_seen_seconds",),
    "ledger.history": ("history_ms",),
    "house": ("words_flagged", "make_test_seconds", "unstable_tests", "cli_help_seconds", "install_mib"),
}
WITHOUT_CITY = (
    "house",
    "separation",
    "market_columns",
    "ledger",
    "airlock",
    "intake",
    "monitoring",
)  # no walk of the invented city
LARGER = {  # figures that are measured in the larger invented city too, by the same function
    f"{figure}_200k": figure for figure in MODULES["compute.rows"] if figure != "rows_frontier"
}
FIGURES = {figure: module for module, figures in MODULES.items() for figure in figures}


def main(names: list[str]) -> int:
    """Measure the named figures, or all; 2 when a name is not known. The walks of an earlier run are deleted first."""
    unknown = [name for name in names if name not in FIGURES | LARGER]
    if unknown:
        print(f"there is no figure {', '.join(unknown)}; there are {', '.join(FIGURES | LARGER)}", file=sys.stderr)
        return 2
    wanted = names or list(FIGURES | LARGER)
    of_city = any(FIGURES[LARGER.get(name, name)].partition(".")[0] not in WITHOUT_CITY for name in wanted)
    if of_city and not os.environ.get(
        "BENCH_KEEP"
    ):  # set it while you work on a figure, to use the walks of an earlier run again
        from bench.flows.demo_steps import OUT, SIZES

        for subjects in SIZES:
            shutil.rmtree(OUT / f"road-{subjects}", ignore_errors=True)
    for name in wanted:
        figure = LARGER.get(name, name)
        measure = getattr(importlib.import_module(f"bench.{FIGURES[figure]}"), figure)
        measure() if figure == name else measure(subjects=200_000)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
