"""The invented city (虚构城市): the embedded input, drawn from the catalogue; every figure made from it says so."""

from __future__ import annotations

from privacy.city.building import CityReport, build

__all__ = ["CityReport", "build"]
