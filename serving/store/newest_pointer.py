"""The newest number of a pointer that any process of the service has followed: an older pointer put back is known."""

from __future__ import annotations

from serving.store.store import Store, statement

_NEWEST = (
    "INSERT INTO heard (name, number) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET number = "
    "CASE WHEN heard.number > excluded.number THEN heard.number ELSE excluded.number END RETURNING number"
)


def newest_number(store: Store, pointer: str, number: int) -> int:
    """Remember that this number of a pointer was seen; gives the newest one ever seen. Raises StoreUnavailable."""
    return int(store.run(statement(_NEWEST, pointer, number))[0][0])
