"""Noise by OpenDP (https://docs.opendp.org): groups whose counts are high enough, and values with bounds.

Neighbours are two sets of records that differ in everything about one unit (a subject). Each function says what one
unit may change at most; its caller has to see to it. What a measurement costs is said by OpenDP's own privacy map, and
nothing is drawn from one that costs more than was spent.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit.errors import Broken, Missing

_SLACK = 1 + 1e-9  # the maps round upwards


def noisy_counts(counts: Mapping[int, int], *, epsilon: float, delta: float, groups: int) -> dict[int, int]:
    """Counts of units by group with Laplace noise; a group whose noisy count is too low is left out, so that no unit's
    presence shows in a group that exists because of it (propose-test-release).

    One unit may be in at most ``groups`` groups, once in each. Costs ``epsilon`` and ``delta``.
    """
    opendp = _opendp()
    space = (
        opendp.map_domain(opendp.atom_domain(T="u32"), opendp.atom_domain(T="i64")),
        opendp.l01inf_distance(opendp.absolute_distance(T="i64")),
    )
    largest = (groups, groups, 1)

    def above(threshold: int) -> Any:
        return opendp.make_laplace_threshold(*space, scale=groups / epsilon, threshold=threshold)

    measurement = above(opendp.binary_search(lambda value: above(value).map(largest)[1] <= delta, (1, 10**9)))
    _require_cost(measurement.map(largest)[0] <= epsilon * _SLACK)
    return {int(group): int(count) for group, count in measurement(dict(counts)).items()}


def noisy_values(values: NDArray[np.float64], *, epsilon: float, groups: int, bound: float) -> NDArray[np.float64]:
    """Values (n,) with Laplace noise. One unit may change at most ``groups`` of them, each by at most ``bound``.
    Costs ``epsilon``."""
    opendp = _opendp()
    space = opendp.vector_domain(opendp.atom_domain(T="f64", nan=False)), opendp.l1_distance(T="f64")
    measurement = opendp.make_laplace(*space, scale=groups * bound / epsilon)
    _require_cost(measurement.map(float(groups * bound)) <= epsilon * _SLACK)
    return np.array(measurement([float(value) for value in values]), dtype=np.float64)


def _require_cost(kept: bool) -> None:
    if not kept:  # another release of OpenDP may count otherwise
        raise Broken("noise.costs-more")


@cache
def _opendp() -> Any:
    """The parts of OpenDP that are used; its prelude would import a second polars. Raises :class:`Missing`."""
    try:
        from opendp import domains, measurements, metrics, mod
    except ImportError as error:
        raise Missing("noise.no-opendp") from error
    mod.enable_features("contrib")

    class Parts:
        atom_domain, map_domain, vector_domain = domains.atom_domain, domains.map_domain, domains.vector_domain
        absolute_distance, l01inf_distance = metrics.absolute_distance, metrics.l01inf_distance
        l1_distance = metrics.l1_distance
        make_laplace, make_laplace_threshold = measurements.make_laplace, measurements.make_laplace_threshold
        binary_search = mod.binary_search

    return Parts
