"""The only file that uses MLflow: runs, and the registered versions of each model with the alias ``champion``.

MLflow shows runs and versions to people and decides nothing. A version is logged as plain files without an ``MLmodel``,
so MLflow cannot load or execute anything in it, and the service never calls MLflow.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from credit.errors import Broken, Missing

CHAMPION = "champion"
FOLDER, PLOTS = "version", "plots"
BATCH = 900  # metrics in one request: MLflow accepts a thousand
SEAL = "seal"
NOT_LOGGED = ("leaves.json",)  # counts of subjects: they stay on the shelf
_SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}


Curve = Sequence[tuple[int, float]]  # round, value


@dataclass(frozen=True, slots=True)
class NestedRun:
    """A run within another: a trial or a fold."""

    name: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    curves: Mapping[str, Curve]


@dataclass(frozen=True, slots=True)
class Tracking:
    """Runs on the tracking server at ``uri``."""

    uri: str
    _client: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, value in _SETTINGS.items():
            os.environ.setdefault(name, value)
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        from mlflow import MlflowClient

        object.__setattr__(self, "_client", MlflowClient(self.uri))

    def require(self) -> None:
        """Raise :class:`Missing` unless the tracking server answers; called before any work."""
        with _translated_errors(self.uri):
            self._client.search_experiments(max_results=1)

    def log_run(
        self,
        model: str,
        *,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        folder: Path | None = None,
        plots: Path | None = None,
        curves: Mapping[str, Curve] | None = None,
        nested: Sequence[NestedRun] = (),
    ) -> str:
        """Log a finished run in the experiment named after the model, with its nested runs; the id of the run.

        The files of ``folder`` (except :data:`NOT_LOGGED`) and ``plots`` are its artefacts. Its status is set last: a
        run that is interrupted is marked as failed, and :meth:`find_run` does not find it.
        """
        with _translated_errors(self.uri):
            experiment = self._experiment(model)
            run = str(self._client.create_run(experiment, tags=dict(tags)).info.run_id)
            try:
                self._log(run, params, metrics, curves or {})
                for each in nested:
                    within = {"mlflow.parentRunId": run, "order": tags.get("order", "")}
                    made = self._client.create_run(experiment, tags=within, run_name=each.name).info.run_id
                    self._log(str(made), each.params, each.metrics, each.curves)
                    self._client.set_terminated(made)
                for place, name in ((folder, FOLDER), (plots, PLOTS)):
                    for file in sorted(place.iterdir()) if place is not None else ():
                        if file.name not in NOT_LOGGED:
                            self._client.log_artifact(run, str(file), name)
            except BaseException:
                with suppress(Exception):
                    self._client.set_terminated(run, "FAILED")
                raise
            self._client.set_terminated(run)
            return run

    def _log(
        self, run: str, params: Mapping[str, Any], metrics: Mapping[str, float], curves: Mapping[str, Curve]
    ) -> None:
        """Log in one request, or in several when the curves are long."""
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        points = [Metric(name, float(value), now, 0) for name, value in metrics.items()]
        points += [Metric(name, float(value), now, step) for name, curve in curves.items() for step, value in curve]
        entries = [Param(name, str(value)) for name, value in params.items()]
        for start in range(0, max(1, len(points)), BATCH):
            self._client.log_batch(run, points[start : start + BATCH], [] if start else entries, synchronous=True)

    def find_run(self, model: str, seal_id: str) -> str | None:
        """The id of the newest finished run of ``model`` that made this seal, or None."""
        with _translated_errors(self.uri):
            query = f"tags.{SEAL} = '{seal_id}' and attributes.status = 'FINISHED'"
            list_runs = self._client.search_runs([self._experiment(model)], query, max_results=1)
            return str(list_runs[0].info.run_id) if list_runs else None

    def list_runs(self, model: str) -> list[str]:
        """The ids of all runs of ``model`` that are not nested, the newest first."""
        with _translated_errors(self.uri):
            matches = self._client.search_runs([self._experiment(model)], max_results=1000)
            return [str(run.info.run_id) for run in matches if "mlflow.parentRunId" not in run.data.tags]

    def _experiment(self, model: str) -> str:
        experiment = self._client.get_experiment_by_name(model)
        if experiment is None:
            with _ignore_existing():
                return str(self._client.create_experiment(model))
            experiment = self._client.get_experiment_by_name(model)
        return str(experiment.experiment_id)


class Registry(Tracking):
    """Registered versions on the same server."""

    __slots__ = ()

    def register(self, model: str, seal_id: str, run_id: str) -> str:
        """The number of the registered version for this seal; registering the same seal again gives the same
        version."""
        with _translated_errors(self.uri):
            with _ignore_existing():
                self._client.create_registered_model(model)
            number = self.version_number(model, seal_id)
            if number is not None:
                return number
            source = f"runs:/{run_id}/{FOLDER}"
            made = self._client.create_model_version(
                model, source, run_id, tags={SEAL: seal_id}, await_creation_for=None
            )
            return str(made.version)

    def version_number(self, model: str, seal_id: str) -> str | None:
        """The number under which this seal is registered, or None."""
        with _translated_errors(self.uri):
            matches = self._client.search_model_versions(f"name = '{model}' and tags.{SEAL} = '{seal_id}'")
            return str(matches[0].version) if matches else None

    def require_registered(self, model: str, seal_id: str) -> str:
        """The number under which this seal is registered; raises :class:`Missing` when it is not registered."""
        number = self.version_number(model, seal_id)
        if number is None:
            raise Missing("mlflow-registry.version-not-registered-with-mlflow", seal_id=seal_id[:20])
        return number

    def set_champion(self, model: str, seal_id: str) -> str:
        """Move the alias ``champion`` to this seal's version; its number. Raises :class:`Missing` if it is not
        registered."""
        number = self.require_registered(model, seal_id)
        with _translated_errors(self.uri):
            self._client.set_registered_model_alias(model, CHAMPION, number)
        return number

    def champion(self, model: str) -> str | None:
        """The id of the seal that has the alias ``champion``, or None."""
        from mlflow.exceptions import RestException

        with _translated_errors(self.uri):
            try:
                match = self._client.get_model_version_by_alias(model, CHAMPION)
            except RestException as error:
                if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    return None
                raise
            return str(match.tags.get(SEAL, "")) or None

    def champions(self) -> dict[str, str]:
        """Model -> the id of the seal that has the alias ``champion``; empty text for a version without a seal."""
        with _translated_errors(self.uri):
            aliases: dict[str, str] = {}
            page: str | None = None
            while page is None or page:
                models = self._client.search_registered_models(max_results=200, page_token=page)
                for each in models:
                    if (number := each.aliases.get(CHAMPION)) is not None:
                        tags = self._client.get_model_version(each.name, number).tags
                        aliases[str(each.name)] = str(tags.get(SEAL, ""))
                page = models.token or ""
            return aliases

    def remove_champion(self, model: str) -> None:
        """Take the alias ``champion`` from whatever version of the model has it."""
        with _translated_errors(self.uri):
            self._client.delete_registered_model_alias(model, CHAMPION)


@contextmanager
def _ignore_existing() -> Iterator[None]:
    """Ignore MLflow's error that something exists already."""
    from mlflow.exceptions import RestException

    try:
        yield
    except RestException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


@contextmanager
def _translated_errors(uri: str) -> Iterator[None]:
    """Raise our own errors for MLflow's: :class:`Broken` for a rejected request, :class:`Missing` for no answer."""
    from mlflow.exceptions import MlflowException, RestException

    try:
        yield
    except RestException as error:
        raise Broken(
            "mlflow-registry.mlflow-refused-what-asked", error_code=error.error_code, message_name=error.message
        ) from error
    except MlflowException as error:
        raise Missing("mlflow-registry.mlflow-server-does-not-answer", uri=uri) from error
