"""``docs/benchmark.md``: what lies between its markers is written from the results file, and from nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.quality.ours import NAME

PAGE, RESULTS, PICTURES = Path("docs/benchmark.md"), Path("docs/benchmark.json"), Path("docs/pictures")
BEGIN, END = "<!-- results: written by `make bench-quality` -->", "<!-- end of results -->"
Results = Mapping[str, Any]


def write(results: Results) -> None:
    """Keep the results and put their tables into the page."""
    RESULTS.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(with_block(PAGE.read_text(encoding="utf-8"), block(results)), encoding="utf-8")


def with_block(page: str, block: str) -> str:
    """The page with what lies between its markers replaced."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{block}\n{END}{after}"


def block(results: Results) -> str:
    """The whole block of results: AUC, ranks, the Bayesian test, where we are not first, other figures."""
    parts = (_auc(results), _standing(results), _tests(results), _where_not_first(results), _more(results))
    return "\n".join(parts)


def _auc(results: Results) -> str:
    ways = list(results["tables"][0]["ways"])
    lines = ["| data | rows (bad) | split | " + " | ".join(ways) + " |", "|---|---|---|" + "---|" * len(ways)]
    for table in results["tables"]:
        best = max(each["auc"] for each in table["ways"].values())
        cells = [_cell(each, best) for each in table["ways"].values()]
        size = f"{table['rows']:,} ({table['bad']:,})"
        lines.append(f"| {table['name']} | {size} | {table['split']} | " + " | ".join(cells) + " |")
    mean = " | ".join(f"{rank:.2f}" for rank in results["ranks"]["mean"].values())
    return "\n".join([*lines, f"| mean rank (1 is best) | | | {mean} |", ""])


def _cell(each: Results, best: float) -> str:
    bold = "**" if each["auc"] == best else ""
    return f"{bold}{each['auc']:.3f}{bold} ({each['low']:.3f}–{each['high']:.3f})"


def _standing(results: Results) -> str:
    ranks = results["ranks"]
    return (
        f"![Mean ranks and the critical difference](pictures/benchmark-ranks.svg)\n\n"
        f"Friedman test: p = {ranks['p_value']:.3f}. Two ways differ at 5 % by the Nemenyi test when their mean ranks "
        f"are {ranks['critical']:.2f} apart.\n\n![AUC on each table](pictures/benchmark-auc.svg)\n"
    )


def _tests(results: Results) -> str:
    lines = ["| ours against | ours worse by more than .01 | the same within .01 | ours better by more than .01 |"]
    lines.append("|---|---|---|---|")
    for way, each in results["against"].items():
        lines.append(f"| {way} | {each['worse']:.1%} | {each['same']:.1%} | {each['better']:.1%} |")
    return "Posterior of the Bayesian signed-rank test over the tables:\n\n" + "\n".join([*lines, ""])


def _where_not_first(results: Results) -> str:
    """Where ours is not first, who is, and by how much."""
    lines = []
    for table in results["tables"]:
        ways = table["ways"]
        better = [way for way in ways if way != NAME and ways[way]["gain"] < 0]
        better.sort(key=lambda way: float(ways[way]["gain"]))
        for way in better[:1]:
            one, count = ways[way], len(better) + 1
            sure = " (the interval leaves 0 out)" if one["gain_high"] < 0 else ""
            lines.append(
                f"- {table['name']}: {way} is first, ours place {count}, {-one['gain']:.3f} of AUC behind "
                f"({-one['gain_high']:+.3f} to {-one['gain_low']:+.3f}){sure}."
            )
    head = f"Ours is first on {len(results['tables']) - len(lines)} of {len(results['tables'])} tables."
    return "\n".join([head + (" Where it is not:" if lines else ""), "", *lines, ""])


def _more(results: Results) -> str:
    ways = list(results["tables"][0]["ways"])
    lines = ["| data | figure | " + " | ".join(ways) + " |", "|---|---|" + "---|" * len(ways)]
    shown = (("ks", "KS", 3), ("brier", "Brier", 4), ("log_loss", "log-loss", 4), ("ece", "ECE", 4))
    for table in results["tables"]:
        for key, called, digits in (*shown, ("seconds", "seconds a fit", 1)):
            cells = " | ".join(f"{each[key]:.{digits}f}" for each in table["ways"].values())
            lines.append(f"| {table['name']} | {called} | {cells} |")
    mean = " | ".join(f"{rank:.2f}" for rank in results["log_loss_ranks"].values())
    return "\n".join([*lines, f"| mean rank by log-loss | | {mean} |"])
