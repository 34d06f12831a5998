"""``lab.compare``: versions side by side, as figures with their limits and as plots."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from credit.errors import Malformed
from lab.library.display import html
from lab.library.training import Run, each_done
from lab.library.training import run as find

if TYPE_CHECKING:
    import pandas

    from lab.library.display.plots import Figure

MOST = 7
_FIGURES = ("auc", "auc_low", "auc_high", "ks", "brier", "stability_index")
_HEAD = ("", "version", "model 模型", "rows", "defaulted", "judged by", "AUC (95 %)", "KS", "Brier", "ECE", "stability")


class Comparison:
    """Runs that are done, named A, B, … in plots and table."""

    def __init__(self, runs: list[Run]) -> None:
        self.runs = runs
        self.names = [chr(ord("A") + place) for place in range(len(runs))]

    def to_pandas(self) -> pandas.DataFrame:
        """The figures, one row a version: what may be carried out as a table."""
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
        told = "; ".join(f"{name}: AUC {r.evidence['auc']:.3f}" for name, r in zip(self.names, self.runs, strict=True))
        image = base64.b64encode(self.png()).decode()
        style = "max-width:100%;border-radius:6px;margin-top:.5em"
        alt = f"ROC, calibration, distribution of points and KS. {told}"
        return html.block(shown, f'<img alt="{html.esc(alt)}" style="{style}" src="data:image/png;base64,{image}">')

    def _rows(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = []
        for name, run in zip(self.names, self.runs, strict=True):
            told = run.evidence
            shift = told["stability_index"]
            rows.append(
                (
                    name,
                    (run.version or "")[:20],
                    run.model,
                    f"{told['rows']:,}",
                    f"{told['positives']:,}",
                    told["judged_by"],
                    f"{told['auc']:.3f} ({told['auc_low']:.3f}–{told['auc_high']:.3f})",
                    f"{told['ks']:.3f}",
                    f"{told['brier']:.4f}",
                    f"{told['calibration']['ece']:.4f}",
                    "–" if shift is None else f"{shift:.3f}",
                )
            )
        return rows


def compare(*runs: Run | str) -> Comparison:
    """Compare trainings that are done, by run or by order id: figures with 95 % limits, ROC, calibration, points, KS.

    Raises :class:`~credit.errors.Malformed` for none or more than seven, :class:`~credit.errors.Missing` for one that
    is not done.
    """
    if not 0 < len(runs) <= MOST:
        raise Malformed("comparison.runs-cannot-be-compared", runs_count=len(runs), limit=MOST)
    return Comparison(each_done(find(each) if isinstance(each, str) else each for each in runs))


def _figures(run: Run) -> dict[str, Any]:
    told = run.evidence
    found = {name: told[name] for name in _FIGURES} | {"ece": told["calibration"]["ece"]}
    return {"rows": told["rows"], "defaulted": told["positives"], "judged_by": told["judged_by"], **found}
