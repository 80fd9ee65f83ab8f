"""Watches: every event only enqueues a key. `on.event` alone, because kopf's other handlers write to the objects."""

from typing import Any, Final

import kopf

from typosentinel_operator import names, policies
from typosentinel_operator.reconcile import Key
from typosentinel_operator.workqueue import WorkQueue

COUNT_DELAY_SECONDS: Final = 1.0


def register(registry: kopf.OperatorRegistry, queue: WorkQueue[Key]) -> None:
    """Watch the three kinds, the children and the pods.

    The handlers are coroutines although they await nothing: kopf runs plain functions in threads, and the queue
    belongs to the event loop.
    """

    @kopf.on.login(registry=registry)
    def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)

    referred: dict[Key, tuple[Key, ...]] = {}

    @kopf.on.event(names.GROUP, names.VERSION, names.SCAN_SERVICE.plural, registry=registry)
    async def scan_service(*, namespace: str | None, name: str, type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002 - kopf's word
        key = Key(names.SCAN_SERVICE, str(namespace), name)
        queue.add(key)
        found = tuple(Key(kind, key.namespace, policy) for kind, policy in policies.referred(dict(body)))
        # To be counted among its users, or no longer; one count serves a burst of events.
        for policy in {*found, *referred.pop(key, ())}:
            queue.add(policy, COUNT_DELAY_SECONDS)
        if type != "DELETED":
            referred[key] = found

    for kind in (names.CACHE_POLICY, names.SCALING_POLICY):

        @kopf.on.event(names.GROUP, names.VERSION, kind.plural, registry=registry, param=kind)
        async def policy(*, namespace: str | None, name: str, param: Any = None, **_: Any) -> None:
            queue.add(Key(param, str(namespace), name))

    for kind in (*names.CHILD_KINDS, names.POD):
        group, _, version = kind.api_version.rpartition("/")

        @kopf.on.event(group, version, kind.plural, registry=registry)
        async def child(*, namespace: str | None, meta: kopf.Meta, **_: Any) -> None:
            for name in _scan_services(meta):
                queue.add(Key(names.SCAN_SERVICE, str(namespace), name))


def _scan_services(meta: kopf.Meta) -> set[str]:
    """ScanServices that a child belongs to by its label or its owner: somebody may have taken the label off."""
    owners = {owner["name"] for owner in meta.get("ownerReferences", []) if owner["kind"] == names.SCAN_SERVICE.name}
    label = meta.labels.get(names.LABEL_SCAN_SERVICE)
    return owners | ({label} if label else set())


def watch_settings() -> kopf.OperatorSettings:
    """Settings for kopf: watch, select on the server, and write nothing."""
    settings = kopf.OperatorSettings()
    # Without it kopf reads namespaces and CRDs of the whole cluster, for which we ask no right.
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.watching.server_timeout = 240
    settings.watching.client_timeout = 250
    settings.watching.connect_timeout = 10
    settings.watching.chunk_size = 500
    for kind in (*names.CHILD_KINDS, names.POD):
        group, _, version = kind.api_version.rpartition("/")
        settings.watching.label_selectors[group, version, kind.plural] = names.MANAGED_SELECTOR
    return settings
