"""A zone's part of a sweep: it deletes the files of its own seals whose destruction the platform has recorded."""

from __future__ import annotations

from collections.abc import Set

from credit.destruction import delete_files, destruction_record
from credit.requests.task import Task
from credit.seal import Kind
from credit.shelf import Shelf


def delete_destroyed(shelf: Shelf, task: Task, kinds: Set[Kind]) -> dict[str, int]:
    """Delete the files of the seals of these kinds that the first step of a sweep named; bytes freed by id."""
    named = [str(each["id"]) for each in task.earlier[0].get("destroyed", [])]
    freed = {}
    for number, name in enumerate(named):
        task.report("deleting files", number, len(named))
        seal = shelf.open(name, deep=False).seal
        if seal.kind in kinds and destruction_record(shelf, name) is not None:
            freed[name] = delete_files(shelf, seal)
    return freed
