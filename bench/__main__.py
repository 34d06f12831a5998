"""Run every figure, or those that are named."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable

from bench import (
    door,
    door_cost,
    evaluate,
    features,
    gateway,
    jobs,
    large,
    live_cost,
    parallel,
    peers,
    reasons,
    rebuild,
    repairs,
    reports,
    ripples,
    road,
    scores,
    servers,
    workspaces,
)

FIGURES: dict[str, Callable[[], None]] = {
    act.__name__: act
    for act in (
        road.road_step_seconds,
        road.road_step_rss_mib,
        road.road_rows_per_second,
        scores.score_in_process_p50_us,
        scores.score_http_p50_ms,
        scores.score_http_p99_ms,
        door.http_rps,
        door.http_as_sent_ratio,
        door.http_vs_plain_fastapi,
        servers.http_servers_rps,
        door_cost.http_cost_us,
        live_cost.live_cost_us,
        jobs.job_lines_per_second,
        jobs.job_beside_answers,
        reports.reports_beside_answers,
        peers.http_vs_best_peer,
        peers.http_live_vs_best_peer,
        ripples.swap_failed_requests,
        ripples.kill_lost_entries,
        ripples.soak_rss_growth_mib,
        large.worker_rss_mib_710k,
        large.start_to_ready_seconds,
        rebuild.rebuild_digest_equal,
        repairs.repair_to_answer_seconds,
        gateway.gateway_requests_per_second,
        workspaces.login_to_cell_seconds,
        workspaces.spawn_p50_seconds,
        workspaces.workspace_idle_mib,
        workspaces.workspaces_at_once,
        workspaces.attacks_tried,
        reasons.reasons_speedup_1,
        reasons.reasons_speedup_10k,
        reasons.reasons_row_us,
        reasons.reasons_first_seconds,
        evaluate.evaluate_features_710k_seconds,
        evaluate.evaluate_score_710k_seconds,
        evaluate.evaluate_peak_rss_mib,
        features.features_per_million_records_seconds,
        parallel.data_parallel_time_ratio,
        parallel.data_parallel_auc_diff,
        parallel.tune_speedup_2_workers,
        parallel.tune_pruning_speedup,
    )
}


def main(names: list[str]) -> int:
    """Measure; 2 when a name is not known. Walks of an earlier run are thrown away: a figure is of this run."""
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        print(f"there is no figure {', '.join(unknown)}; there are {', '.join(FIGURES)}", file=sys.stderr)
        return 2
    if not os.environ.get("BENCH_KEEP"):  # set it while working on a figure: the walks of an earlier run are taken
        for subjects in road.SIZES:
            shutil.rmtree(road.OUT / f"road-{subjects}", ignore_errors=True)
    for name in names or list(FIGURES):
        FIGURES[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
