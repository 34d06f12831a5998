"""The only file that starts Ray: it maps tasks over a cluster, given by address or started locally and ended here.

Ray is no border between zones, because any client can run code on a cluster. So only our own functions run here, on a
cluster that belongs to the compute zone. :func:`in_process` runs the same tasks in this process with the same results.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

from credit.errors import Broken, CreditError, Missing, Unauthenticated
from models.distributed.cluster_token import new_token, require_private_file, token_in_environment
from models.distributed.process_guard import end_children_with, process_guard
from models.distributed.worker_group import ThreadWorkerGroup, WorkerGroup

Progress = Callable[[int, int], None]
STORE_BYTES = 512 << 20
RETRIES = 3
FOLDERS = ("r", "s")  # of a first and a second start; short, as the path of a socket in them is bounded
SLOW_START = "timed out during startup"  # in what Ray raises when half a minute was too short; it has no class for it


class Tasks(Protocol):
    """Runs a function over arguments and gives the results in the order of the arguments."""

    @property
    def worker_group(self) -> WorkerGroup:
        """Workers that run the parts of one job at the same time."""

    def map_tasks(
        self, fn: Callable[..., Any], args: Sequence[Any], *, shared: Any = None, progress: Progress | None = None
    ) -> list[Any]:
        """``[fn(arg) for arg in args]``, or ``fn(shared, arg)`` when ``shared`` is given, which every task reads."""


class _InProcess:
    """Tasks one after another in this process."""

    @property
    def worker_group(self) -> WorkerGroup:
        return ThreadWorkerGroup()

    def map_tasks(
        self, fn: Callable[..., Any], args: Sequence[Any], *, shared: Any = None, progress: Progress | None = None
    ) -> list[Any]:
        done = []
        for arg in args:
            done.append(fn(arg) if shared is None else fn(shared, arg))
            if progress:
                progress(len(done), len(args))
        return done


class _Cluster:
    """Tasks on Ray. A task whose worker died is run again, up to ``RETRIES`` times."""

    @property
    def worker_group(self) -> WorkerGroup:
        from models.distributed.ray_worker_group import RayWorkerGroup

        return RayWorkerGroup()

    def map_tasks(
        self, fn: Callable[..., Any], args: Sequence[Any], *, shared: Any = None, progress: Progress | None = None
    ) -> list[Any]:
        import ray

        task = ray.remote(num_cpus=1, max_retries=RETRIES)(_run)
        stored = None if shared is None else ray.put(shared)
        references = [task.remote(fn, stored, arg) for arg in args]
        waiting = list(references)
        try:
            while waiting:
                ready, waiting = ray.wait(waiting, num_returns=1, timeout=5)
                for answer in ray.get(ready):  # a failed task raises here, at once
                    if isinstance(answer, CreditError):
                        raise answer
                if progress and ready:
                    progress(len(args) - len(waiting), len(args))
            return list(ray.get(references))
        except ray.exceptions.RayTaskError:
            raise  # a bug in the task, with its traceback
        except ray.exceptions.RayError as error:
            raise Broken("ray-cluster.cluster-lost-task", error_name=type(error).__name__, retries=RETRIES) from error
        finally:
            for reference in waiting:
                ray.cancel(reference, force=True)


def _run(fn: Callable[..., Any], shared: Any, arg: Any) -> Any:
    try:
        return fn(arg) if shared is None else fn(shared, arg)
    except CreditError as error:
        return error  # returned, because Ray would wrap a raised exception in its own


def in_process() -> Tasks:
    """Tasks that run one after another in this process."""
    return _InProcess()


@contextmanager
def cluster(address: str = "", *, token: Path | None = None, cpus: int | None = None) -> Iterator[Tasks]:
    """Tasks on the Ray cluster at ``address``, or on a local cluster that is started here and ended after the block.

    Either cluster accepts only clients that show its token: the one in the file ``token``, or a new one for a local
    cluster.
    Raises :class:`Missing` when nothing answers at the address or the token file is missing, and
    :class:`Unauthenticated`
    when the cluster rejects this process.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # Under `uv run`, Ray would start its workers by the same command in a folder of its own, where they wait for ever.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    with ExitStack() as stack:
        if address:
            _require_answer(address)
            stack.enter_context(token_in_environment(require_private_file(token)))
            _connect(address)
        else:
            folder = stack.enter_context(_private_folder())
            stack.enter_context(token_in_environment(new_token(folder)))
            stack.enter_context(process_guard(folder))
            _start_local(folder, cpus or len(os.sched_getaffinity(0)))
        try:
            yield _Cluster()
        finally:
            _shut_down()


def _start_local(folder: Path, cpus: int) -> None:
    """Start a cluster of this process's own, once more where the machine was too slow for the half minute Ray waits.

    Raises :class:`Broken` when it does not start then either.
    """
    for name in FOLDERS:
        own = folder / name  # Ray makes it readable by all users, so it lies within a private one
        try:
            # "local" explicitly: otherwise Ray attaches to any cluster that an unclean stop left behind.
            _connect(
                "local",
                num_cpus=cpus,
                include_dashboard=False,
                object_store_memory=STORE_BYTES,
                _temp_dir=str(own),
            )
            return
        except Exception as error:
            if SLOW_START not in str(error):
                raise
            end_children_with(own)
            if name == FOLDERS[-1]:
                raise Broken("ray-cluster.not-started", tries=len(FOLDERS)) from error


def _connect(address: str, **settings: Any) -> None:
    import ray

    defaults = {"namespace": "haihe", "log_to_driver": False, "logging_level": "ERROR", "configure_logging": True}
    try:
        ray.init(address=address, **defaults, **settings)
    except BaseException as error:
        ray.shutdown()
        if isinstance(error, ConnectionError):
            raise Unauthenticated("ray-cluster.ray-cluster-does-not-let", address=address) from error
        raise


def _shut_down() -> None:
    import ray

    ray.shutdown()


@contextmanager
def _private_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="haihe-ray-"))  # short: unix sockets allow 107 bytes
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _require_answer(address: str) -> None:
    """Raise :class:`Missing` when nothing listens at the address: Ray would wait for two minutes and then end the
    process."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=5):
            return
    except (OSError, ValueError) as error:
        raise Missing("ray-cluster.no-ray-cluster-answers", address=address) from error
