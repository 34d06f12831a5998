"""Buckets: a release is partitioned by the first byte of the subject key, and work on it is a map over its buckets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from credit.errors import Refused
from credit.shelf import OpenedSeal

MapBuckets = Callable[[Callable[..., Any], list[Any]], list[Any]]
Progress = Callable[[int, int], None]


def release_terms(release: OpenedSeal, purpose: str) -> dict[str, Any]:
    """The terms of a release as plain values; raises :class:`Refused` when it was made for another purpose."""
    terms = release.seal.terms
    if terms.get("purpose") != purpose:
        raise Refused(
            "sample.release-for-another-purpose",
            seal_short=release.seal.short,
            terms=terms.get("purpose"),
            purpose=purpose,
        )
    return {name: terms[name] for name in ("as_of", "buckets", "tables")}


def map_sequentially(progress: Progress | None) -> MapBuckets:
    """A mapper that runs the buckets one after another in this process."""

    def run(task: Callable[..., Any], buckets: Sequence[Any]) -> list[Any]:
        done = []
        for bucket in buckets:
            done.append(task(bucket))
            if progress:
                progress(len(done), len(buckets))
        return done

    return run
