"""The release policy (purpose -> thresholds) as data, from ``policy.yaml`` in this folder or another file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from credit.errors import Malformed

HERE = Path(__file__).with_name("policy.yaml")


@dataclass(frozen=True, slots=True)
class PurposePolicy:
    """The thresholds of one purpose: ``k`` and ``small_cell`` in subjects, the life of a release in days.

    ``generalise`` is the order in which quasi-identifiers of the register are generalised.
    """

    purpose: str
    k: int
    small_cell: int
    expires_after_days: int
    generalise: tuple[str, ...]

    @property
    def thresholds(self) -> dict[str, int]:
        """The thresholds of the release gate."""
        return {"k": self.k, "small_cell": self.small_cell}


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy of every purpose, and the limits of a bucket (subjects and rows)."""

    purposes: Mapping[str, PurposePolicy]
    bucket_sizes: tuple[int, ...]
    bucket_subjects: int
    bucket_rows: int

    @classmethod
    def load(cls, path: Path = HERE) -> Policy:
        """Read a policy file; raises :class:`Malformed` with the cause."""
        try:
            data: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
            purposes = {
                name: PurposePolicy(
                    name,
                    int(each["k"]),
                    int(each["small_cell"]),
                    int(each["expires_after_days"]),
                    tuple(each["generalise"]),
                )
                for name, each in data["purposes"].items()
            }
            buckets = data["buckets"]
            policy = cls(purposes, tuple(sorted(buckets["sizes"])), int(buckets["subjects"]), int(buckets["rows"]))
        except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            raise Malformed(
                "policy.policy-cannot-be-read", path_name=path.name, error_name=type(error).__name__, cause=error
            ) from error
        if any(each.k < 1 or each.small_cell < 1 or each.expires_after_days < 1 for each in purposes.values()):
            raise Malformed("policy.policy-not-one", path_name=path.name)
        return policy

    def of(self, purpose: str) -> PurposePolicy:
        """The policy of a purpose; raises :class:`Malformed` for one that is not known."""
        if purpose not in self.purposes:
            raise Malformed("policy.purpose-not-known", purpose=purpose, purposes=" or ".join(self.purposes))
        return self.purposes[purpose]

    def buckets(self, subjects_by_byte: list[int], rows_by_byte: list[int]) -> int:
        """The smallest number of buckets in which no bucket exceeds a limit; else the largest permitted number.

        Each list has 256 counts by the first byte of the subject's key: of subjects, and of their rows in all tables.
        """
        limits = ((subjects_by_byte, self.bucket_subjects), (rows_by_byte, self.bucket_rows))
        for size in self.bucket_sizes:
            width = 256 // size
            if all(sum(c[at : at + width]) <= most for c, most in limits for at in range(0, 256, width)):
                return size
        return self.bucket_sizes[-1]
