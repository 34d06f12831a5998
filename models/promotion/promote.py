"""Register and promote (晋级): the maker submits a version to the gate; another person reviews it and makes it
champion.

What counts is the pointer ``champion-<model>`` on the shelf, signed by the platform; the alias in MLflow follows it,
for
people to see. The ledger records who requested, who granted, and the verdict of the gate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
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
from credit.separation.version_judges import require_judge, require_requester
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

PETITION = "promotion"
ReadPeople = Callable[[], PeopleHistory]  # reads the ledgers again


def register(version: OpenedSeal, *, by: Actor, ledger: Ledger, registry: Registry) -> str:
    """Register a version with MLflow and request its promotion; the version's number there. Repeating it has no
    effect.

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
        ledger.append(f"{PETITION}.asked", seal.id, by=by, details={"model": model, "mlflow_version": number})
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
) -> Verdict:
    """Review a version and, when it passes the gate, make it the champion of its model.

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
    require_judge(version, by=by, entries=entries, people=people(), shelf=shelf)
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
    require_judge(version, by=by, entries=ledger.about(seal.id), people=people(), shelf=shelf)
    require_requester(version, entries=ledger.about(seal.id), people=people())
    details = {"model": model, "maker": str(seal.made_by), "verdict": verdict.as_json()}
    if waiver and verdict.outcome is Outcome.REVIEW:
        waived = [finding.check for finding in verdict.findings if finding.outcome is Outcome.REVIEW]
        details |= {"waiver": {"why": waiver, "checks": waived}}
    elif not verdict.passed:
        ledger.append(f"{PETITION}.refused", seal.id, by=by, details=details)
        verdict.require()
    ledger.append(f"{PETITION}.granted", seal.id, by=by, details=details)
    _set_champion(version, verdict.as_json(), by=by, shelf=shelf, key=platform_key, registry=registry)
    return verdict


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
    required."""
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
    details = {"model": version.seal.terms["model"], "roll_back": why}
    ledger.append(f"{PETITION}.granted", version.seal.id, by=by, details=details)
    _set_champion(version, details, by=by, shelf=shelf, key=platform_key, registry=registry)


def _set_champion(
    version: OpenedSeal, verdict: Mapping[str, Any], *, by: Actor, shelf: Shelf, key: SigningKey, registry: Registry
) -> None:
    model = version.seal.terms["model"]
    pointer = {"model": model, "version": version.seal.id, "verdict": digest_json(verdict), "by": str(by)}
    shelf.set_pointer(f"{CHAMPION}{model}", pointer, key)
    registry.set_champion(model, version.seal.id)


def _require_version(version: OpenedSeal) -> None:
    if version.seal.kind is not Kind.VERSION:
        raise Malformed("promote.not-model-version", kind=version.seal.kind.text)
