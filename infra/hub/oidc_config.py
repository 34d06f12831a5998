"""The hub's configuration for an identity provider, as a function of its settings."""

from __future__ import annotations

import stat
from typing import Any

from credit.errors import Malformed
from infra.hub.oidc import OidcAuthenticator, OidcProvider
from infra.hub.settings import HubSettings


def configure_oidc(c: Any, settings: HubSettings) -> None:
    """Write the settings of the provider into a traitlets configuration; its addresses are its own to say.

    Raises as :meth:`OidcProvider.discovered`, and :class:`Malformed` for a missing setting.
    """
    provider = OidcProvider.discovered(settings.oidc_issuer)
    c.JupyterHub.authenticator_class = OidcAuthenticator
    c.Authenticator.auto_login = True  # the login page is the provider's
    oidc = c.OidcAuthenticator
    oidc.home = str(settings.home)
    oidc.sign_ins = str(settings.home / "lab" / "sign-ins.sqlite")
    oidc.issuer, oidc.keys_url = provider.issuer, provider.keys_url
    oidc.authorize_url, oidc.token_url = provider.authorize_url, provider.token_url
    oidc.userdata_from_id_token = True
    oidc.client_id, oidc.client_secret = settings.oidc_client, _secret(settings)
    oidc.oauth_callback_url = settings.oidc_callback
    oidc.scope = ["openid", "profile"]
    oidc.enable_pkce = True
    oidc.extra_authorize_params = {"prompt": "login", "max_age": "0"}
    oidc.name_claim, oidc.groups_claim = settings.oidc_name_claim, settings.oidc_groups_claim
    oidc.group_prefix = settings.oidc_group_prefix


def _secret(settings: HubSettings) -> str:
    for name in ("oidc_client", "oidc_secret", "oidc_callback"):
        if not getattr(settings, name):
            raise Malformed("settings.missing", name=f"HAIHE_HUB_{name.upper()}")
    assert settings.oidc_secret is not None
    if stat.S_IMODE(settings.oidc_secret.stat().st_mode) & 0o077:
        raise Malformed("oidc-config.secret-open-to-others")
    return settings.oidc_secret.read_text(encoding="ascii").strip()
