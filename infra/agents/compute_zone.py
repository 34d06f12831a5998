"""Compute as an agent works with it: settings, shelf, key, ledger, and the cluster that its steps share."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from credit.keys import KeyRing, SigningKey
from credit.ledger import Ledger
from credit.requests.settings import AgentSettings
from credit.requests.task import Task
from credit.settings import read
from credit.shelf import OpenedSeal, Shelf
from credit.versions import require_champion
from models.settings import ComputeSettings

if TYPE_CHECKING:
    from models.distributed.ray_cluster import Tasks
    from models.distributed.shared_cluster import SharedCluster


@dataclass(frozen=True, slots=True)
class Compute:
    """Compute's settings, key and ledger."""

    agent: AgentSettings
    settings: ComputeSettings
    shelf: Shelf
    key: SigningKey
    ledger: Ledger
    cluster: SharedCluster

    @classmethod
    def open(cls, settings: AgentSettings, env: Mapping[str, str]) -> Self:
        """Load this zone's key."""
        from models.distributed.shared_cluster import SharedCluster

        own, ring = read(ComputeSettings, env, "HAIHE_COMPUTE_"), KeyRing.load(settings.ring)
        key, shared = SigningKey.load(own.keys, "compute"), SharedCluster(own.ray_address, own.ray_token)
        return cls(settings, own, Shelf(own.shelf, ring), key, Ledger(own.ledger, key, ring, "compute"), shared)

    def shared(self, task: Task) -> dict[str, Any]:
        """What every seal is made with."""
        return {
            "shelf": self.shelf,
            "key": self.key,
            "by": task.by,
            "ledger": self.ledger,
            "limits": self.settings.limits,
        }

    def tasks(self, task: Task, *, here: bool = False) -> AbstractContextManager[Tasks]:
        """The cluster of this process; with ``here`` this process alone."""
        from models.distributed.ray_cluster import in_process

        if here:
            return nullcontext(in_process())
        task.report("connecting to Ray" if self.settings.ray_address else "starting Ray", 0, 0)
        return self.cluster.tasks()

    def champion(self, model: str) -> OpenedSeal:
        """The version that the platform points at, every file verified; raises :class:`Missing`."""
        return require_champion(self.shelf, model)
