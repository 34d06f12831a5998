"""The texts of the hub's own pages, in the language of the browser that asks (Accept-Language).

JupyterHub has its pages in English alone, and passes the request to no template; :func:`install` gives every page its
texts as ``words``. Our pages of signing in have their own (:mod:`infra.hub.sign_in.page`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from jupyterhub.handlers.base import BaseHandler

from credit.messages import Text
from infra.hub.sign_in.page import language_of

WORDS: Mapping[str, Text] = {
    "lab": Text.of("hub-pages.lab"),
    "home": Text.of("hub-pages.home"),
    "console": Text.of("hub-pages.console"),
    "methods": Text.of("hub-pages.sign-in-methods"),
    "dark": Text.of("hub-pages.dark"),
    "sign_in": Text.of("hub-pages.sign-in"),
    "sign_out": Text.of("hub-pages.sign-out"),
    "signed_out": Text.of("hub-pages.signed-out"),
    "your_workspace": Text.of("hub-pages.your-workspace"),
    "open": Text.of("hub-pages.open"),
    "start": Text.of("hub-pages.start"),
    "stop": Text.of("hub-pages.stop"),
    "what_stop_does": Text.of("hub-pages.what-stop-does"),
    "choose": Text.of("hub-pages.choose"),
    "starting": Text.of("hub-pages.starting"),
    "opens_by_itself": Text.of("hub-pages.opens-by-itself"),
    "not_running": Text.of("hub-pages.not-running"),
    "start_it": Text.of("hub-pages.start-it"),
    "failed": Text.of("hub-pages.failed"),
    "try_again": Text.of("hub-pages.try-again"),
    "stopping": Text.of("hub-pages.stopping"),
    "after_stopping": Text.of("hub-pages.after-stopping"),
    "reload": Text.of("hub-pages.reload"),
    "error": Text.of("hub-pages.error"),
    "not_found": Text.of("hub-pages.not-found"),
    "not_allowed": Text.of("hub-pages.not-allowed"),
    "too_many": Text.of("hub-pages.too-many"),
    "fault": Text.of("hub-pages.fault"),
    "details": Text.of("hub-pages.details"),
    "to_home": Text.of("hub-pages.to-home"),
}
TITLES = {403: "not_allowed", 404: "not_found", 405: "not_found", 429: "too_many"}


_of_jupyterhub = BaseHandler.template_namespace.fget


def namespace(handler: Any) -> dict[str, Any]:
    """What JupyterHub gives to a page, with ``words``, ``titles`` of errors by their status, and the ``language``."""
    language = language_of(handler)
    words = {name: text.render(language) for name, text in WORDS.items()}
    titles = {status: words[name] for status, name in TITLES.items()}
    own = {"words": words, "titles": titles, "language": language}
    return {**_of_jupyterhub(handler), **own, "is_in_language": partial(is_in, language)}


def is_in(language: str, message: str) -> bool:
    """False for an English message on a Chinese page: JupyterHub has no others."""
    return language == "en" or re.search("[\u4e00-\u9fff]", message) is not None


def install() -> None:
    """Give every page of the hub its texts; the handlers are JupyterHub's own, so their common class gets them."""
    BaseHandler.template_namespace = property(namespace)
