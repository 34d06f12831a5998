"""A worker group on a Ray cluster: one task per member, all placed together or none, spread over the machines.

Plain tasks are used and not Ray Train, whose LightGBM trainer would do the same (give every member the addresses of
all)
but starts a controller and new processes, and needs another extra. Tasks run in processes that exist already and have
imported LightGBM. When a member dies, the others may wait for it forever inside LightGBM; so all are ended, and the
whole group starts again with the same parts, which gives the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import ray
from ray.util.placement_group import placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from credit.errors import Broken, CreditError
from models.distributed.worker_group import Peers, free_ports

RETRIES = 3
NAME = "worker-group-member"


class RayWorkerGroup:
    """Members as tasks on the cluster that this process is connected to."""

    def run_together(self, fn: Callable[[Peers, Any, Any], Any], shared: Any, parts: Sequence[Any]) -> list[Any]:
        """See :class:`~models.distributed.worker_group.WorkerGroup`; raises :class:`Broken` when members die
        repeatedly."""
        shared_reference, part_references = ray.put(shared), [ray.put(part) for part in parts]
        with _placements(len(parts)) as places:
            for _ in range(RETRIES + 1):
                try:
                    return _run_attempt(places, fn, shared_reference, part_references)
                except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError) as error:
                    failure = error
        raise Broken(
            "ray-worker-group.cluster-lost-member-gang", lost_name=type(failure).__name__, retries=RETRIES
        ) from failure


def _run_attempt(
    places: Sequence[Any], fn: Callable[[Peers, Any, Any], Any], shared_reference: Any, part_references: Sequence[Any]
) -> list[Any]:
    addresses = tuple(ray.get([ray.remote(_address).options(**place).remote() for place in places]))
    member = ray.remote(_run_member)
    references = [
        member.options(**place, name=NAME).remote(fn, Peers(addresses, rank), shared_reference, part)
        for rank, (place, part) in enumerate(zip(places, part_references, strict=True))
    ]
    waiting = list(references)
    try:
        while waiting:
            ready, waiting = ray.wait(waiting, num_returns=1)
            for answer in ray.get(ready):  # a failed member raises here at once, even while the others wait
                if isinstance(answer, CreditError):
                    raise answer
        return list(ray.get(references))
    finally:
        for reference in waiting:
            ray.cancel(reference, force=True)


def _address() -> tuple[str, int]:
    """Host and port at which a member on this machine can be reached."""
    return str(ray.util.get_node_ip_address()), free_ports(1)[0]


def _run_member(fn: Callable[[Peers, Any, Any], Any], peers: Peers, shared: Any, part: Any) -> Any:
    try:
        return fn(peers, shared, part)
    except CreditError as error:
        return error  # returned, because Ray would wrap a raised exception in its own


@contextmanager
def _placements(count: int) -> Iterator[list[dict[str, Any]]]:
    """Scheduling options for each member, on shares of the cluster's processors; released after the block."""
    share = min(1.0, int(100 * ray.cluster_resources().get("CPU", 1) / count) / 100)
    group = placement_group([{"CPU": share}] * count, strategy="SPREAD")
    try:
        ray.get(group.ready())
        strategies = [PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=n) for n in range(count)]
        yield [{"num_cpus": share, "max_retries": 0, "scheduling_strategy": each} for each in strategies]
    finally:
        remove_placement_group(group)
