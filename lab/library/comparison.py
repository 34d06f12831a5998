"""``lab.compare``: compare versions by figures with confidence limits and by plots."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from credit.errors import Malformed
from lab.library.display import html
from lab.library.measuring import Measurement
from lab.library.promotion import ModelChampion
from lab.library.training import ChampionRun, Run, require_done
from lab.library.training import run as find

if TYPE_CHECKING:
    import pandas

    from lab.library.display.plots import Figure

MOST = 7
Compared = Run | ChampionRun | Measurement
Comparable = Compared | ModelChampion | str
_FIGURES = ("auc", "auc_low", "auc_high", "ks", "brier", "stability_index")
_HEAD = ("", "version", "model 模型", "rows", "defaulted", "judged by", "AUC (95 %)", "KS", "Brier", "ECE", "stability")


class Comparison:
    """Completed runs, and a champion on the rows of one of them, named A, B, … in plots and table."""

    def __init__(self, runs: Sequence[Compared]) -> None:
        self.runs = list(runs)
        self.names = [chr(ord("A") + place) for place in range(len(runs))]

    def to_pandas(self) -> pandas.DataFrame:
        """The figures, one row per version, in a form that may be carried out as a table."""
        import pandas

        return pandas.DataFrame(
            [{"version": each.version, "model": each.model, **_figures(each)} for each in self.runs]
        )

    def plot(self) -> Figure:
        """ROC, calibration, distribution of points and KS as a matplotlib figure."""
        from lab.library.display import plots

        labels = [f"{name} {run.model}" for name, run in zip(self.names, self.runs, strict=True)]
        return plots.draw(labels, [run.evidence for run in self.runs])

    def png(self) -> bytes:
        """The plots as PNG."""
        from lab.library.display import plots

        return plots.png(self.plot())

    def save(self, path: str | Path) -> Path:
        """Write the plots to a PNG file, or the figures to a CSV file, by the ending of the name."""
        path = Path(path)
        if path.suffix == ".png":
            path.write_bytes(self.png())
        elif path.suffix == ".csv":
            self.to_pandas().round(4).to_csv(path, index=False)
        else:
            raise Malformed("comparison.neither", path_name=path.name)
        return path

    def __repr__(self) -> str:
        return html.text_table(_HEAD, self._rows(), range(3, len(_HEAD)))

    def _repr_html_(self) -> str:
        shown = html.table(_HEAD, self._rows(), caption="Versions compared 版本比较", right={3, 4, 7, 8, 9, 10})
        summary = "; ".join(
            f"{name}: AUC {r.evidence['auc']:.3f}" for name, r in zip(self.names, self.runs, strict=True)
        )
        image = base64.b64encode(self.png()).decode()
        style = "max-width:100%;border-radius:6px;margin-top:.5em"
        alt = f"ROC, calibration, distribution of points and KS. {summary}"
        return html.block(shown, f'<img alt="{html.esc(alt)}" style="{style}" src="data:image/png;base64,{image}">')

    def _rows(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = []
        for name, run in zip(self.names, self.runs, strict=True):
            evidence = run.evidence
            shift = evidence["stability_index"]
            rows.append(
                (
                    name,
                    (run.version or "")[:20],
                    run.model,
                    f"{evidence['rows']:,}",
                    f"{evidence['positives']:,}",
                    evidence["judged_by"],
                    f"{evidence['auc']:.3f} ({evidence['auc_low']:.3f}–{evidence['auc_high']:.3f})",
                    f"{evidence['ks']:.3f}",
                    f"{evidence['brier']:.4f}",
                    f"{evidence['calibration']['ece']:.4f}",
                    "–" if shift is None else f"{shift:.3f}",
                )
            )
        return rows


def compare(*runs: Comparable) -> Comparison:
    """Compare completed trainings, by run or by order id: figures with 95 % limits, ROC, calibration, points, KS.

    ``run.champion`` is the champion on the rows of that run, measured in compute: ``lab.compare(run, run.champion)``.
    ``lab.champion(model)`` is that of the first run too. ``lab.measure`` gives a run's version on other rows.

    Raises :class:`~credit.errors.Malformed` for none or more than seven, :class:`~credit.errors.Missing` for one that
    is not done.
    """
    if not 0 < len(runs) <= MOST:
        raise Malformed("comparison.runs-cannot-be-compared", runs_count=len(runs), limit=MOST)
    named = [find(each) if isinstance(each, str) else each for each in runs]
    first = next((each for each in named if isinstance(each, Run)), None)
    compared: list[Compared] = []
    for each in named:
        if not isinstance(each, ModelChampion):
            compared.append(each)
        elif first is None:
            raise Malformed("comparison.champion-alone")
        else:
            compared.append(each.on_rows_of(first))
    require_done(each for each in compared if isinstance(each, Run))
    return Comparison(compared)


def _figures(run: Compared) -> dict[str, Any]:
    evidence = run.evidence
    figures = {name: evidence[name] for name in _FIGURES} | {"ece": evidence["calibration"]["ece"]}
    return {"rows": evidence["rows"], "defaulted": evidence["positives"], "judged_by": evidence["judged_by"], **figures}
