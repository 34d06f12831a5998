"""Register and promote (晋级): the maker submits a version to the gate; another person reviews it and makes it
champion.

What counts is the pointer ``champion-<model>`` on the shelf, signed by the platform; the alias in MLflow follows it,
for people to see. The ledger records who requested, who granted, and the verdict of the gate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from credit.actor import Actor, Role
from credit.canonical import digest_json
from credit.errors import Malformed, Refused
from credit.gate import Gate, Outcome, Verdict
from credit.keys import SigningKey
from credit.ledger import Ledger
from credit.petition import State, fold_petition, require_move
from credit.seal import Kind
from credit.separation.involvement import PeopleHistory
from credit.separation.two_checkers import APPROVED, Approval, approval_basis, checkers_needed, counted
from credit.separation.version_judges import approvals_now, require_judge, require_requester
from credit.shelf import OpenedSeal, Shelf
from credit.usage_rights import LENDING_USE, require_use, stated_rights
from credit.versions import CHAMPION
from models.distributed.ray_cluster import Tasks, in_process
from models.promotion.case import prepare_case, version_rights
from models.promotion.gate import promotion_gate
from models.promotion.measured_version import PromotionCase
from models.registry.mlflow_registry import Registry
from models.registry.run_summary import run_figures, run_tags
from models.registry.version import read_evidence, read_recipe
from models.snapshots.pointers import newest_snapshot, point_snapshot

PETITION = "promotion"
ReadPeople = Callable[[], PeopleHistory]  # reads the ledgers again


@dataclass(frozen=True, slots=True)
class PromotionDecision:
    """The result of one person's judgement: the verdict, how many checkers it takes, and who of them have approved.

    The version is in production (``granted``) when as many have approved as it takes.
    """

    verdict: Verdict
    needed: int
    approved_by: tuple[str, ...]

    @property
    def granted(self) -> bool:
        """Whether the version is in production by this decision."""
        return len(self.approved_by) >= self.needed

    def as_json(self) -> dict[str, Any]:
        """The decision as JSON values."""
        approvals = {"needed": self.needed, "by": list(self.approved_by)}
        return {"verdict": self.verdict.as_json(), "granted": self.granted, "approvals": approvals}


def register(
    version: OpenedSeal, *, by: Actor, ledger: Ledger, registry: Registry, note: str = "", request: str = ""
) -> str:
    """Register a version with MLflow and request its promotion; the version's number there. Repeating it has no
    effect.

    ``note`` is for those who judge it, ``request`` the entry of the notebook that asks for it, where one does.
    Refuses before any work a version that reads a table whose right permits no score for a bank.
    """
    _require_version(version)
    seal = version.seal
    require_use(stated_rights(seal.terms), LENDING_USE)
    model = seal.terms["model"]
    run = registry.find_run(model, seal.id)
    if run is None:  # trained with another MLflow server, or its run was deleted
        run = registry.log_run(
            model,
            params=read_recipe(version.path).as_json(),
            metrics=run_figures(read_evidence(version.path)),
            tags=run_tags(version, by),
            folder=version.path,
        )
    number = registry.register(model, seal.id, run)
    petition = fold_petition(ledger.about(seal.id), PETITION, seal.id)
    if petition is None or petition.state not in (State.REQUESTED, State.GRANTED):
        require_move(petition, "asked", object_id=seal.id)
        details = {"model": model, "mlflow_version": number}
        details |= {name: text for name, text in (("note", note), ("request", request)) if text}
        ledger.append(f"{PETITION}.asked", seal.id, by=by, details=details)
    return number


def promote(
    version: OpenedSeal,
    *,
    by: Actor,
    shelf: Shelf,
    platform_key: SigningKey,
    ledger: Ledger,
    people: ReadPeople,
    registry: Registry,
    tasks: Tasks | None = None,
    gate: Gate[PromotionCase] | None = None,
    today: date | None = None,
    waiver: str = "",
) -> PromotionDecision:
    """Review a version and, when it passes the gate, make it the champion of its model.

    A version of individual businesses takes two people (:mod:`credit.separation.two_checkers`): the approval of the
    first goes to the ledger, and that of the second puts the version in production.

    What the gate leaves to a person (REVIEW) passes with a ``waiver``: the reason for which ``by`` accepts it, in the
    ledger with the checks that it is about. No waiver opens the gate for a check that failed.

    Refuses before any work a person who had a part in the version (:mod:`credit.separation.version_judges`).
    ``people`` is read again after the work, which takes minutes. Raises :class:`~credit.errors.Refused` with the
    findings when the version does not pass; either way the verdict is in the ledger.
    """
    _require_version(version)
    seal, model = version.seal, version.seal.terms["model"]
    by.require_role(Role.PLATFORM, act="act.promote-version")
    entries = ledger.about(seal.id)
    require_judge(version, by=by, entries=entries, people=people(), shelf=shelf, approves=True)
    require_requester(version, entries=entries, people=people())
    petition = fold_petition(entries, PETITION, seal.id)
    require_move(petition, "granted", object_id=seal.id)
    registry.require_registered(model, seal.id)  # before any work
    require_use(version_rights(version, shelf), LENDING_USE)
    if today is not None:
        seal.require_not_expired(today)
    case = prepare_case(version, shelf=shelf, tasks=tasks or in_process(), today=today)
    judge = gate or promotion_gate()
    verdict = judge.judge(case, requested_by=petition.requested_by if petition else seal.made_by, reviewer=by)
    entries, now = ledger.about(seal.id), people()
    require_judge(version, by=by, entries=entries, people=now, shelf=shelf, approves=True)
    require_requester(version, entries=entries, people=now)
    details: dict[str, Any] = {"model": model, "maker": str(seal.made_by), "verdict": verdict.as_json()}
    if waiver and verdict.outcome is Outcome.REVIEW:
        waived = [finding.check for finding in verdict.findings if finding.outcome is Outcome.REVIEW]
        details |= {"waiver": {"why": waiver, "checks": waived}}
    elif not verdict.passed:
        ledger.append(f"{PETITION}.refused", seal.id, by=by, details=details)
        verdict.require()
    champion = case.champion.version if case.champion else ""
    basis, needed = approval_basis(verdict, champion), checkers_needed(seal)
    earlier = counted(approvals_now(version, entries=entries, people=now, shelf=shelf), basis)
    decision = PromotionDecision(verdict, needed, (*(each.by.name for each in earlier), by.name))
    if not decision.granted:
        ledger.append(APPROVED, seal.id, by=by, details=details | {"champion": champion, "basis": basis})
        return decision
    details |= {"approvals": [_approved(each) for each in earlier]} if earlier else {}
    ledger.append(f"{PETITION}.granted", seal.id, by=by, details=details)
    _set_champion(version, verdict.as_json(), by=by, shelf=shelf, key=platform_key, registry=registry)
    return decision


def refuse(
    version: OpenedSeal,
    *,
    why: str,
    by: Actor,
    shelf: Shelf,
    ledger: Ledger,
    people: ReadPeople,
) -> None:
    """Refuse the promotion of a version that waits for it, without measuring it, for a reason (``why``).

    Raises :class:`Refused` for a person who may not judge it, or when no request waits.
    """
    _require_version(version)
    seal = version.seal
    by.require_role(Role.PLATFORM, act="act.refuse-version")
    entries = ledger.about(seal.id)
    require_judge(version, by=by, entries=entries, people=people(), shelf=shelf)
    require_move(fold_petition(entries, PETITION, seal.id), "refused", object_id=seal.id)
    details = {"model": seal.terms["model"], "maker": str(seal.made_by), "why": why}
    ledger.append(f"{PETITION}.refused", seal.id, by=by, details=details)


def roll_back(
    version: OpenedSeal,
    *,
    why: str,
    by: Actor,
    shelf: Shelf,
    platform_key: SigningKey,
    ledger: Ledger,
    people: ReadPeople,
    registry: Registry,
    today: date | None = None,
) -> None:
    """Make a version that was granted before the champion again. It is not measured again, so a reason (``why``) is
    required.

    The service answers from its newest snapshot at once: suppression notices are judged by what a snapshot accounts
    for, so an older one shows no record that was repaired since. Without a snapshot that has not ended, the service
    goes on with the one in use until another is made.
    """
    _require_version(version)
    by.require_role(Role.PLATFORM, act="act.roll-back-to-version")
    require_use(stated_rights(version.seal.terms), LENDING_USE)
    entries = ledger.about(version.seal.id)
    require_judge(version, by=by, entries=entries, people=people(), shelf=shelf)
    petition = fold_petition(entries, PETITION, version.seal.id)
    if petition is None or petition.state is not State.GRANTED:
        raise Refused("promote.version-never-promoted")
    if today is not None:
        version.seal.require_not_expired(today)
    registry.require_registered(version.seal.terms["model"], version.seal.id)
    ready = newest_snapshot(shelf, version.seal.id, today or datetime.now(UTC).date())
    details = {"model": version.seal.terms["model"], "roll_back": why} | ({"snapshot": ready.id} if ready else {})
    ledger.append(f"{PETITION}.granted", version.seal.id, by=by, details=details)
    _point_at_champion(version, details, by=by, shelf=shelf, key=platform_key)
    if ready:
        point_snapshot(shelf, ready, key=platform_key)
    registry.set_champion(version.seal.terms["model"], version.seal.id)


def _approved(approval: Approval) -> dict[str, Any]:
    return {"by": str(approval.by), "at": approval.at.isoformat(), "seq": approval.seq}


def _set_champion(
    version: OpenedSeal, verdict: Mapping[str, Any], *, by: Actor, shelf: Shelf, key: SigningKey, registry: Registry
) -> None:
    _point_at_champion(version, verdict, by=by, shelf=shelf, key=key)
    registry.set_champion(version.seal.terms["model"], version.seal.id)


def _point_at_champion(
    version: OpenedSeal, verdict: Mapping[str, Any], *, by: Actor, shelf: Shelf, key: SigningKey
) -> None:
    model = version.seal.terms["model"]
    pointer = {"model": model, "version": version.seal.id, "verdict": digest_json(verdict), "by": str(by)}
    shelf.set_pointer(f"{CHAMPION}{model}", pointer, key)


def _require_version(version: OpenedSeal) -> None:
    if version.seal.kind is not Kind.VERSION:
        raise Malformed("promote.not-model-version", kind=version.seal.kind.text)
