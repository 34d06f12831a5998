"""A bank that requests mandates, subjects who sign, and the agents of the service and the platform by hand."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from serving_world import ENGINEER, PLATFORM, PURPOSE, codes

from credit.ledger import Ledger
from serving.app.wiring import open_applications
from serving.auth.access_database import AccessDatabase
from serving.mandates.granting import MandateSigner
from serving.mandates.proposals import MandateClerk
from serving.mandates.rules import mandate_rules
from serving.mandates.subject_keys import key_statement, sign_key

FIRM, OTHER, THIRD = codes("enterprise", 3)
UNTIL = "2027-01-31"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


class Subject:
    """A subject with a key of its own."""

    def __init__(self, code: str, kind: str = "Ed25519") -> None:
        self.code, self.is_ed = code, kind == "Ed25519"
        self.private: Any = Ed25519PrivateKey.generate() if self.is_ed else ec.generate_private_key(ec.SECP256R1())

    @property
    def jwk(self) -> dict[str, Any]:
        algorithm: Any = jwt.algorithms.OKPAlgorithm if self.is_ed else jwt.algorithms.ECAlgorithm
        made: dict[str, Any] = algorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {name: value for name, value in made.items() if name in ("kty", "crv", "x", "y")}

    def consent(self, typ: str = "haihe-consent+jwt", **other: Any) -> str:
        claims = {"aud": "http://testserver", "sub": self.code, "bank": "bohai", "purpose": PURPOSE, "until": UNTIL,
                  "jti": secrets.token_hex(8), "iat": int(time.time())}  # fmt: skip
        algorithm = "EdDSA" if self.is_ed else "ES256"
        return jwt.encode({**claims, **other}, self.private, algorithm=algorithm, headers={"typ": typ})


class MandateWorld:
    """The running service with its stores, and the two agents, which work when a test calls them."""

    def __init__(self, running: Any) -> None:
        self.running, self.world = running, running.world
        root, ring = self.world.root, self.world.ring
        self.access = AccessDatabase(self.world.settings().store_place)
        self.applications = open_applications(self.world.settings(), self.access.store)
        self.store = self.applications.store
        self.platform = Ledger(root / "platform.jsonl", self.world.key("platform"), ring, "platform")
        self.proposals = Ledger(root / "service-agent.jsonl", self.world.key("service"), ring, "service")
        for bank in ("bohai", "jincheng"):
            self.platform.append("bank.added", f"bank-{bank}", by=PLATFORM, details={"kind": "bank"})
        self.desk: set[tuple[str, str, str]] = set()  # request, person, application or batch
        self.clerk = MandateClerk(self.store, self.access, self.world.ledger, self.proposals, ring)
        self.signer = MandateSigner(
            self.world.key("platform"), self.platform, self.world.ledger, self._is_requested, *mandate_rules(),
        )  # fmt: skip

    def _is_requested(self, request: str, person: Any, application: str, batch: str, made: Any) -> bool:
        return bool({(request, str(person), application), (request, str(person), batch)} & self.desk)

    def close(self) -> None:
        self.access.close()

    def register(self, subject: Subject, *, entry: bool = True) -> Subject:
        """Register a subject's key; without the platform's `entry` only the service's store has it."""
        statement = key_statement(self.world.pseudonyms.key_of(subject.code).hex, subject.jwk)
        if entry:
            details = {"thumbprint": statement["thumbprint"]}
            self.platform.append("subject-key.added", f"subject-{statement['subject']}", by=PLATFORM, details=details)
        self.applications.keys.add(sign_key(statement, self.world.key("platform")))
        return subject

    def post(self, path: str, body: Any, *, bank: str = "bohai", key: str | None = None, **headers: str) -> Any:
        sent = {"Authorization": f"Bearer {self.running.token(bank)}", **headers}
        if key is not None:
            sent["Idempotency-Key"] = key
        return self.running.http.post(path, json=body, headers=sent)

    def call(self, method: str, path: str, *, bank: str = "bohai") -> Any:
        headers = {"Authorization": f"Bearer {self.running.token(bank)}"}
        return self.running.http.request(method, path, headers=headers)

    def apply(self, code: str = FIRM, evidence: str = "page", content: str = "", **more: Any) -> Any:
        options = {name: more.pop(name) for name in ("bank", "key") if name in more}
        return self.post("/v1/mandates", wanted(code, evidence, content, **more), **options)

    def consent(self, subject: Subject, **more: Any) -> str:
        """The id of an application by a good consent."""
        response = self.apply(subject.code, "consent", subject.consent(), **more)
        assert response.status_code == 200, response.text
        return str(response.json()["application_id"])

    def confirm(self, name: str, *, by: Any = ENGINEER, batch: str = "", at_the_desk: bool = True) -> None:
        """A person of the platform confirms an application, as the agent does for a request at the desk."""
        from credit.confirmation import Move
        from serving.mandates.decisions import decide

        request = f"request-{secrets.token_hex(4)}"
        if at_the_desk:
            self.desk.add((request, str(by), batch or name))
        decide(self.store, self.world.ledger, name, Move.CONFIRM, by=by, details={"request": request})

    def agents(self) -> None:
        """Both agents do what there is to do."""
        while self.clerk.propose():
            pass
        for entry in list(self.proposals.entries()):
            self.signer.sign(entry)
        for entry in list(self.platform.entries()):
            self.clerk.take(entry)

    def status(self, name: str, bank: str = "bohai") -> dict[str, Any]:
        response = self.call("GET", f"/v1/mandates/{name}", bank=bank)
        assert response.status_code == 200, response.text
        return dict(response.json())


def wanted(code: str = FIRM, evidence: str = "page", content: str = "", **more: Any) -> dict[str, Any]:
    body = {"uscc": code, "purpose": PURPOSE, "until": UNTIL, "evidence": evidence, **more}
    return body | ({"content": content} if content else {})


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def read(response: Any) -> dict[str, Any]:
    return dict(json.loads(response.content))


@pytest.fixture
def mandates(running: Any) -> Iterator[MandateWorld]:
    made = MandateWorld(running)
    yield made
    made.close()
