"""Reading to the end (审阅至末尾): a vote is open to a reviewer to whom each file was shown to its end.

The end of a file's page carries a token that only this page has: it is made from the research zone's signature over the
petition, the file, its digest and the reviewer. Sending it back records that this reviewer was shown the whole file.
"""

from __future__ import annotations

import hashlib
import hmac

from credit.actor import Actor
from credit.errors import Missing, Refused
from credit.keys import SigningKey
from lab.airlock.review.petition import Petition
from lab.airlock.review.states import State

IN_REVIEW = (State.SUBMITTED, State.HALF_REVIEWED, State.QUESTIONED)


def reading_token(petition: Petition, file: str, reviewer: str, key: SigningKey) -> str:
    """The token (64 hexadecimal digits) at the end of a file's page; raises :class:`Missing` for an unknown file."""
    if file not in petition.files:
        raise Missing("desk.no-such-file-in-parcel")
    about = f"haihe file read to its end v1 {petition.id} {petition.files[file].digest} {reviewer} {file}"
    return hashlib.sha256(key.sign(about.encode())).hexdigest()


def require_token(token: str, petition: Petition, file: str, by: Actor, key: SigningKey) -> None:
    """Raise :class:`Refused` for a token that is not the one of this file, as it is now, and of this reviewer.

    A parcel whose review is over is refused too: its entries stay as they are.
    """
    if petition.state not in IN_REVIEW:
        raise Refused("reading.review-over")
    if not hmac.compare_digest(token.encode(), reading_token(petition, file, by.name, key).encode()):
        raise Refused("reading.not-the-end")


def require_all_read(petition: Petition, by: Actor) -> None:
    """Raise :class:`Refused` while a file of the parcel was not shown to this reviewer to its end."""
    unread = petition.unread(by.name)
    if unread:
        raise Refused("reading.not-all-read", files=", ".join(unread), count=len(unread))
