"""The vault of the custody zone, with the master key that its settings name; and the rotation of that key.

The key is in the file ``raw.key``, in the environment (``HAIHE_CUSTODY_MASTER_KEY``, base64), or behind a program
(``HAIHE_CUSTODY_KEY_PROGRAM``). To rotate it, name the new one so and put the earlier one into ``raw-old.key`` (32
bytes): the next start of custody wraps every data key again, and then removes that file.
"""

from __future__ import annotations

import base64

from credit.actor import Actor, Role
from credit.errors import Malformed, Missing
from credit.keys import load_secret
from credit.ledger import Ledger
from privacy.settings import CustodySettings
from privacy.storage.key_program import ProgramMasterKey
from privacy.storage.master_key import MasterKey, SecretMasterKey
from privacy.vault import Vault

CUSTODY = Actor("custody", Role.SERVICE)


def open_vault(settings: CustodySettings, ledger: Ledger) -> Vault:
    """The vault, after a rotation that was begun has been ended, and without what a backup brought back of destroyed
    periods.

    Raises :class:`Malformed` for two master keys.
    """
    master = master_key(settings)
    vault, old = Vault(settings.raw, master), settings.keys / "raw-old.key"
    if old.exists():
        earlier = SecretMasterKey(load_secret(old))
        count = Vault(settings.raw, earlier).rewrap(master)
        details = {"keys": count, "earlier": earlier.name, "now": master.name}
        ledger.append("keys.rotated", f"master-{master.name}", by=CUSTODY, details=details)
        old.unlink()
    for table, period, rows in vault.leave_out_destroyed():
        ledger.append("period.destroyed", f"period-{table}-{period}", by=CUSTODY, details={"rows": rows, "again": True})
    return vault


def destroy_period(vault: Vault, ledger: Ledger, table: str, period: str, *, by: Actor) -> int:
    """Destroy the key and the files of a table's period (密钥销毁); returns the number of its rows.

    The entry comes first: a run that is killed is run again, and has two. Raises :class:`Refused` unless ``by`` is an
    actor of the city or of the platform, and :class:`Missing` when there is no such period.
    """
    by.require_role(Role.CITY, Role.PLATFORM, act="act.destroy-period")
    rows = vault.periods(table).get(period)
    if rows is None:
        raise Missing("vault.no-period", name=table, period=period)
    ledger.append("period.destroyed", f"period-{table}-{period}", by=by, details={"rows": rows})
    return vault.destroy(table, period)


def master_key(settings: CustodySettings) -> MasterKey:
    """The master key that the settings name. Raises :class:`Malformed` where they name two, or one that is none."""
    if settings.master_key and settings.key_program:
        raise Malformed("master-key.named-twice")
    if settings.key_program:
        return ProgramMasterKey(settings.key_program)
    if settings.master_key:
        try:
            return SecretMasterKey(base64.b64decode(settings.master_key, validate=True))
        except ValueError as error:
            raise Malformed("master-key.wrong-length") from error
    return SecretMasterKey(load_secret(settings.keys / "raw.key"))
