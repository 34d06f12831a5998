"""Codes of invented subjects as arrays, with the check digits of GB 32100-2015, GB 11714 and GB 11643-1999.

An array of codes is a numpy array of fixed-width ASCII bytes, dtype ``S18``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from credit.uscc import ALPHABET, ORG_ALPHABET, ORG_WEIGHTS, USCC_WEIGHTS

Bytes = np.ndarray[Any, Any]
Ints = np.ndarray[Any, Any]
_LETTERS = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)
_VALUE = np.zeros(256, dtype=np.int64)
_VALUE[_LETTERS] = np.arange(31)
_ORG_VALUE = np.zeros(256, dtype=np.int64)
_ORG_VALUE[np.frombuffer(ORG_ALPHABET.encode(), dtype=np.uint8)] = np.arange(36)
_ORG_CHECK = np.frombuffer(b"0123456789X0", dtype=np.uint8)
_PERSON_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])  # GB 11643-1999 §4
_PERSON_CHECK = np.frombuffer(b"10X98765432", dtype=np.uint8)
_SERIALS = 31**6
_STEP = 514_229_003  # coprime to 31: serials of different subjects differ, and neighbours do not resemble each other


def digits(values: Ints, width: int) -> Bytes:
    """Whole numbers as zero-padded text of ``width`` characters, (n,) -> (n,) ``S<width>``."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    figures = (np.asarray(values, dtype=np.int64)[:, None] // powers) % 10 + ord("0")
    return _as_bytes(figures)


def uscc_codes(prefix: Bytes, division: Bytes, serial: Ints) -> Bytes:
    """Valid codes from prefixes (``S2``), divisions (``S6``) and numbers below 31**6, all (n,)."""
    body = np.zeros((len(serial), 18), dtype=np.uint8)
    body[:, :2] = _characters(prefix, 2)
    body[:, 2:8] = _characters(division, 6)
    body[:, 8:10] = np.frombuffer(b"MA", dtype=np.uint8)
    body[:, 10:16] = _LETTERS[(np.asarray(serial)[:, None] // 31 ** np.arange(5, -1, -1, dtype=np.int64)) % 31]
    org = 11 - _ORG_VALUE[body[:, 8:16]] @ np.array(ORG_WEIGHTS) % 11
    body[:, 16] = _ORG_CHECK[org]
    body[:, 17] = _LETTERS[-(_VALUE[body[:, :17]] @ np.array(USCC_WEIGHTS)) % 31]
    return _as_bytes(body)


def serials(first: int, count: int, offset: int) -> Ints:
    """Serial numbers below 31**6 of the subjects ``first`` … ``first + count - 1``, all different and unordered."""
    return ((np.arange(first, first + count, dtype=np.int64) * _STEP) + offset) % _SERIALS


def with_wrong_check(codes: Bytes) -> Bytes:
    """The same codes with a wrong last character."""
    characters = _characters(codes, 18).copy()
    characters[:, 17] = _LETTERS[(_VALUE[characters[:, 17]] + 1) % 31]
    return _as_bytes(characters)


def person_numbers(rng: np.random.Generator, count: int) -> Bytes:
    """Citizen numbers (公民身份号码, GB 11643-1999) with a right check digit, in division 120199, which is
    unassigned.
    """
    day = np.datetime64("1955-01-01") + rng.integers(0, 17000, count)
    head = np.concatenate([
        np.broadcast_to(np.frombuffer(b"120199", dtype=np.uint8), (count, 6)),
        _characters(compact(day), 8),
        _characters(digits(rng.integers(1, 999, count), 3), 3),
    ], axis=1)  # fmt: skip
    check = _PERSON_CHECK[((head.astype(np.int64) - ord("0")) @ _PERSON_WEIGHTS) % 11]
    return _as_bytes(np.concatenate([head, check[:, None]], axis=1))


def compact(days: np.ndarray[Any, Any]) -> Bytes:
    """Days as ``YYYYMMDD``, (n,) ``S8``."""
    month = days.astype("datetime64[M]").astype(np.int64)
    day = (days - days.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1
    return digits((month // 12 + 1970) * 10000 + (month % 12 + 1) * 100 + day, 8)


def _characters(text: Bytes, width: int) -> Ints:
    return np.ascontiguousarray(text.astype(f"S{width}")).view(np.uint8).reshape(-1, width)


def _as_bytes(characters: Ints) -> Bytes:
    clean = np.ascontiguousarray(characters.astype(np.uint8))
    return clean.view(f"S{clean.shape[1]}").reshape(-1)
