"""Market credit from the UCI repository: Polish firms (365), Taiwanese cards (350), German loans (144); CC BY 4.0."""

from __future__ import annotations

import gzip

import numpy as np
from numpy.typing import NDArray

from bench.quality.tables import Floats, Table, data, without_twins

# Ratios over total assets, which cannot be negative, so that their order is beyond doubt. Of the others many have a
# denominator of either sign (equity, profit, working capital): a loss over a negative equity looks like a gain.
POLISH = {"X1": -1, "X2": 1, "X3": -1, "X6": -1, "X7": -1, "X10": -1}
# Repayment status holds codes that its dictionary does not explain (-2, 0), so its order is not declared.
CARDS = {"X1": -1} | {f"X{n}": -1 for n in range(18, 24)}
ORDERED = {3: 0, 6: 0, 7: -1, 17: 0}  # German attributes (from 1) whose codes are steps, and their direction
NUMBERS = {2: 1, 5: 0, 8: 1, 11: 0, 13: 0, 16: 0, 18: 0}  # German attributes that are numbers


def polish(year: int) -> Table:
    """Zięba, Tomczak and Tomczak 2016: 64 financial ratios of firms, bankrupt within ``year`` years or not.

    The 1-year file holds 82 rows twice, the 5-year file 60.
    """
    text = gzip.decompress((data() / "polish_bankruptcy" / f"{year}year.arff.gz").read_bytes()).decode()
    lines = text[text.lower().index("@data") + 5 :].split()
    rows = np.array([[float(v) if v != "?" else np.nan for v in line.split(",")] for line in lines])
    features, labels = without_twins(rows[:, :-1], rows[:, -1])
    names = tuple(f"X{n}" for n in range(1, features.shape[1] + 1))
    called = f"Polish, {year} year" + ("s" if year > 1 else "")
    source = "UCI 365, Zięba et al. 2016"
    return _plain(called, source, features, labels, names, POLISH, 1)


def cards() -> Table:
    """Yeh and Lien 2009: does a card holder fail to pay in the next month?"""
    with gzip.open(data() / "uci_credit_card" / "UCI_Credit_Card.csv.gz", "rt") as stream:
        header = stream.readline().replace('"', "").strip().split(",")
        rows = np.genfromtxt(stream, delimiter=",")
    keep = [n for n, name in enumerate(header) if name.startswith("X")]
    features, labels = without_twins(rows[:, keep], rows[:, header.index("Y")])
    names = tuple(header[n] for n in keep)
    return _plain("UCI cards", "UCI 350, Yeh and Lien 2009", features, labels, names, CARDS, 1)


def german() -> Table:
    """Hofmann 1994: loans, good or bad. Codes that are steps become their number, other codes a column for each."""
    text = (data() / "german_credit" / "german.data").read_text()
    columns = list(zip(*(line.split() for line in text.splitlines() if line), strict=True))
    parsed: dict[str, tuple[Floats, int]] = {}
    for number, column in enumerate(columns[:-1], start=1):
        if number in NUMBERS:
            parsed[f"A{number}"] = np.array(column, dtype=np.float64), NUMBERS[number]
        elif number in ORDERED:
            parsed[f"A{number}"] = np.unique(column, return_inverse=True)[1].astype(np.float64), ORDERED[number]
        else:
            for code in sorted(set(column)):
                parsed[code] = (np.array(column) == code).astype(np.float64), 0
    features = np.column_stack([values for values, _ in parsed.values()])
    labels = (np.array(columns[-1]) == "2").astype(np.int8)
    signs = {name: sign for name, (_, sign) in parsed.items()}
    return _plain("German", "UCI 144, Hofmann 1994", features, labels, tuple(parsed), signs, 4)


def _plain(
    name: str,
    source: str,
    features: Floats,
    labels: NDArray[np.int8],
    names: tuple[str, ...],
    signs: dict[str, int],
    repetitions: int,
) -> Table:
    subjects = np.array([f"row {n}" for n in range(len(labels))])
    directions = tuple(signs.get(each, 0) for each in names)
    return Table(name, source, features, labels, subjects, names, directions, repetitions=repetitions)
