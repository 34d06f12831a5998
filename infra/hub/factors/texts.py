"""The texts of the pages of factors, by the names that the pages have for them."""

from __future__ import annotations

from collections.abc import Mapping

from credit.messages import Text

SIGN_IN_AGAIN = Text.of("factors.sign-in-again")
LIST: Mapping[str, Text] = {
    "title": Text.of("factors.title"),
    "lead": Text.of("factors.lead"),
    "required": Text.of("factors.required"),
    "again": Text.of("factors.again"),
    "sign_in": Text.of("factors.sign-in-button"),
    "password": Text.of("factors.password"),
    "new_password": Text.of("enrolment.password"),
    "password_again": Text.of("enrolment.password-again"),
    "password_hint": Text.of("factors.password-hint"),
    "change_password": Text.of("factors.change-password"),
    "app": Text.of("enrolment.app"),
    "app_there": Text.of("factors.app-there"),
    "app_none": Text.of("factors.app-none"),
    "app_replace": Text.of("factors.app-replace"),
    "app_add": Text.of("factors.app-add"),
    "passkey": Text.of("enrolment.passkey"),
    "passkeys_none": Text.of("factors.passkeys-none"),
    "name": Text.of("factors.passkey-name"),
    "rename": Text.of("factors.rename"),
    "remove": Text.of("factors.remove"),
    "last": Text.of("factors.last"),
    "make_passkey": Text.of("factors.make-passkey"),
    "passkey_hint": Text.of("enrolment.passkey-hint"),
    "failed": Text.of("second-factor.passkey-failed"),
    "codes": Text.of("enrolment.recovery-codes"),
    "new_codes": Text.of("factors.new-codes"),
    "new_codes_hint": Text.of("factors.new-codes-hint"),
    "console": Text.of("factors.console"),
}
TOTP: Mapping[str, Text] = {
    "title": Text.of("enrolment.app"),
    "app_hint": Text.of("enrolment.app-hint"),
    "secret": Text.of("enrolment.secret"),
    "code": Text.of("second-factor.code"),
    "submit": Text.of("factors.app-submit"),
    "back": Text.of("factors.back"),
}
CODES: Mapping[str, Text] = {
    "title": Text.of("enrolment.recovery-codes"),
    "codes_hint": Text.of("enrolment.recovery-codes-hint"),
    "shown": Text.of("factors.codes-shown"),
    "back": Text.of("factors.back"),
}
DONE: Mapping[str, Text] = {
    "password": Text.of("factors.done-password"),
    "totp": Text.of("factors.done-totp"),
    "added": Text.of("factors.done-added"),
    "renamed": Text.of("factors.done-renamed"),
    "removed": Text.of("factors.done-removed"),
}
