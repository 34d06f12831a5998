"""The invented city (虚构城市): raw files with invented subjects, generated from the catalogue and marked as
invented.
"""

from __future__ import annotations

from privacy.city.building import CityReport, build

__all__ = ["CityReport", "build"]
