"""What the handlers of signing in share: accounts, credentials, the policy, the limit on guessing, steps under way."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from infra.hub.credentials.passkeys import PasskeyParty
from infra.hub.credentials.store import CredentialStore
from infra.hub.factors.entries import FactorEntries
from infra.hub.factors.pending import PendingFactors
from infra.hub.sign_in.pending import PendingEnrolment, PendingSignIn, PendingSteps
from infra.hub.sign_in.throttle import LoginThrottle
from lab.accounts.account import Account
from lab.accounts.accounts import Accounts
from lab.accounts.policy import AccountPolicy, default_policy


@dataclass(frozen=True, slots=True)
class VerifiedSignIn:
    """A person who proved who they are. No form can make one: the authenticator takes nothing else."""

    account: Account


@dataclass(slots=True)
class SignInServices:
    """The shared state of one hub."""

    accounts: Accounts
    credentials: CredentialStore
    party: PasskeyParty
    entries: FactorEntries
    policy: AccountPolicy = field(default_factory=default_policy)
    throttle: LoginThrottle = field(default_factory=LoginThrottle)
    sign_ins: PendingSteps[PendingSignIn] = field(default_factory=lambda: PendingSteps("haihe-sign-in"))
    factors: PendingSteps[PendingFactors] = field(default_factory=lambda: PendingSteps("haihe-factors"))
    enrolments: PendingSteps[PendingEnrolment] = field(default_factory=lambda: PendingSteps("haihe-enrolment"))

    def account_of(self, name: str, enrolment: str) -> Account | None:
        """The account, as long as the enrolment is the one in force."""
        account = self.accounts.all().get(name)
        return account if account is not None and account.enrolment == enrolment else None

    def signed_in_account(self, name: str) -> Account | None:
        """The account of a session: none that was removed, or reset and not enrolled again."""
        account = self.accounts.all().get(name)
        return account if account is not None and self.credentials.is_enrolled(account) else None

    def password_matches(self, name: str, password: str) -> Account | None:
        """The account if the password is right, else None."""
        account = self.accounts.all().get(name)
        return account if self.credentials.password_matches(account, password) else None

    def open_link(self, token: str) -> Account | None:
        """The account of a link that works now: the newest of its account, not used, and not ended."""
        account = self.accounts.of_link(token)
        if account is None or account.link is None or account.link.digest != account.enrolment:
            return None
        in_time = datetime.now(UTC) < account.link.until
        return account if in_time and self.credentials.link_is_open(account) else None

    def enrolling(self, step: PendingEnrolment) -> Account | None:
        """The account of an enrolment under way, as long as its link works."""
        account = self.account_of(step.name, step.enrolment)
        if account is None or account.link is None or datetime.now(UTC) >= account.link.until:
            return None
        return account if self.credentials.link_is_open(account) else None

    def needs_second_factor(self, account: Account) -> bool:
        """True for an account that must have one."""
        return self.policy.needs_second_factor(account.roles)
