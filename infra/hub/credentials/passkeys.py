"""Passkeys (通行密钥, WebAuthn): options for the browser, and the verification of what it answers.

A passkey belongs to a host name; a browser makes none for an address such as 127.0.0.1.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, options_to_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

RP_NAME = "海河信用创新实验室 Haihe Credit Innovation Lab"


@dataclass(frozen=True, slots=True)
class Passkey:
    """The public half of a passkey, and the number of its uses where the authenticator counts them."""

    id: bytes
    public_key: bytes
    sign_count: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class PasskeyParty:
    """The site for which passkeys are made (relying party): the hub's public address."""

    origin: str

    @property
    def host(self) -> str:
        """The host name that the browser binds a passkey to."""
        return urlsplit(self.origin).hostname or ""

    def registration(self, name: str, known: Sequence[bytes] = ()) -> tuple[dict[str, Any], bytes]:
        """Options for making a passkey, and the challenge that the answer must carry."""
        options = webauthn.generate_registration_options(
            rp_id=self.host,
            rp_name=RP_NAME,
            user_name=name,
            user_id=hashlib.sha256(f"haihe:{name}".encode()).digest(),
            exclude_credentials=[PublicKeyCredentialDescriptor(each) for each in known],
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
            ),
        )
        return json.loads(options_to_json(options)), options.challenge

    def registered(self, answer: dict[str, Any], challenge: bytes, label: str = "") -> Passkey | None:
        """The passkey that the browser made; None unless the answer is for this challenge and this site."""
        try:
            made = webauthn.verify_registration_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self.host,
                expected_origin=self.origin,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError):
            return None
        return Passkey(made.credential_id, made.credential_public_key, made.sign_count, label)

    def request(self, known: Sequence[bytes]) -> tuple[dict[str, Any], bytes]:
        """Options for using one of the ``known`` passkeys, and the challenge that the answer must carry."""
        options = webauthn.generate_authentication_options(
            rp_id=self.host,
            allow_credentials=[PublicKeyCredentialDescriptor(each) for each in known],
            user_verification=UserVerificationRequirement.PREFERRED,
        )
        return json.loads(options_to_json(options)), options.challenge

    def used(self, answer: dict[str, Any], challenge: bytes, passkey: Passkey) -> int | None:
        """The new number of uses; None unless this passkey answered this challenge for this site."""
        try:
            verified = webauthn.verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self.host,
                expected_origin=self.origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError):
            return None
        return verified.new_sign_count


def id_of(answer: dict[str, Any]) -> bytes:
    """The id of the passkey that an answer names; empty for an answer without one."""
    try:
        return base64url_to_bytes(answer["rawId"])
    except (KeyError, TypeError, ValueError):
        return b""
