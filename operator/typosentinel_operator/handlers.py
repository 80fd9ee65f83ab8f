"""Watches: every event goes into the mirror. `on.event` alone, as kopf's other handlers write to the objects."""

from typing import Any

import kopf

from typosentinel_operator import mirror
from typosentinel_operator.cluster import PAGE
from typosentinel_operator.control import Control
from typosentinel_operator.scope import Scope

DELETED = "DELETED"


class _NoDifferences(kopf.DiffBaseStorage):
    """What kopf would compare with for handlers that we don't have: it copies each object for that, three times."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        """Nothing."""
        return kopf.BodyEssence({})

    def fetch(self, **_: Any) -> kopf.BodyEssence | None:
        """Nothing."""
        return None

    def store(self, **_: Any) -> None:
        """Nowhere."""


class _NoProgress(kopf.ProgressStorage):
    """The same of how far such handlers have come."""

    def fetch(self, **_: Any) -> kopf.ProgressRecord | None:
        """Nothing."""
        return None

    def store(self, **_: Any) -> None:
        """Nowhere."""

    def purge(self, **_: Any) -> None:
        """Nowhere."""

    def touch(self, **_: Any) -> None:
        """Nowhere."""

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        """Nothing to clear."""
        return essence


def register(registry: kopf.OperatorRegistry, control: Control) -> None:
    """Watch the three kinds, the children and the pods.

    The handler is a coroutine although it awaits nothing: kopf runs plain functions in threads, and the queue belongs
    to the event loop.
    """

    @kopf.on.login(registry=registry)
    def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)

    for kind in mirror.WATCHED:
        group, _, version = kind.api_version.rpartition("/")

        @kopf.on.event(group, version, kind.plural, registry=registry, param=kind)
        async def heard(*, event: kopf.RawEvent, param: Any = None, **_: Any) -> None:
            control.heard(param, dict(event["object"]), gone=event["type"] == DELETED)


def watch_settings(scope: Scope) -> kopf.OperatorSettings:
    """Settings for kopf: watch, select on the server, and write nothing."""
    settings = kopf.OperatorSettings()
    # Without it kopf reads namespaces and CRDs of the whole cluster, for which we ask no right.
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.persistence.diffbase_storage = _NoDifferences()
    settings.persistence.progress_storage = _NoProgress()
    settings.watching.server_timeout = 240
    settings.watching.client_timeout = 250
    settings.watching.connect_timeout = 10
    settings.watching.chunk_size = PAGE
    # kopf keeps a task for each object for so long after an event; ours are done at once.
    settings.queueing.idle_timeout = 0.5
    for kind in mirror.WATCHED:
        group, _, version = kind.api_version.rpartition("/")
        if scope.label_selector(kind):
            settings.watching.label_selectors[group, version, kind.plural] = scope.label_selector(kind)
    return settings
