"""A subject at its own page: the request, and who it is."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from credit.actor import Actor, Role
from serving.core.service import ScoringService
from serving.mandates.applications import Applications
from serving.mandates.subject_sessions import SubjectSession


@dataclass(frozen=True, slots=True)
class SubjectCall:
    """A subject at its page: the request, the service and its stores, and who it is."""

    request: Request
    service: ScoringService
    applications: Applications
    session: SubjectSession
    form: dict[str, str]

    @property
    def by(self) -> Actor:
        """The subject, under its pseudonym."""
        return Actor(self.session.subject, Role.SUBJECT)
