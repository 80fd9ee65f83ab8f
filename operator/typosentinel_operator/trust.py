"""The leader's care for the webhook's certificates: a Secret that holds them, and whom the API server is told to trust.

The Secret is this release's own, and the only one that the operator reads. What is as it should be is not written.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog

from typosentinel_operator import certificates, issuing, names
from typosentinel_operator.certificates import Plan
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.errors import ClusterError, Refused

Manifest = dict[str, Any]
log = structlog.get_logger(__name__)

# An upgrade of the release may take the trust away; until the next look the webhook is not asked, and stops nothing.
LOOK_SECONDS: Final = 10.0
RETRY_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Trust:
    """Keeps one Secret and one ValidatingWebhookConfiguration in accord.

    Attributes:
        cluster: the API server.
        secret: namespace and name of the Secret.
        configuration: name of the ValidatingWebhookConfiguration.
        hosts: names and addresses at which the webhook is reached.
        now: the time, with zone.
    """

    cluster: Cluster
    secret: tuple[str, str]
    configuration: str
    hosts: tuple[str, ...]
    now: Callable[[], datetime]

    async def keep_forever(self) -> None:
        """Look and put right, again and again; trouble with the API server passes."""
        while True:
            try:
                await self.keep()
                delay = LOOK_SECONDS
            except ClusterError as error:
                log.warning("webhook certificates not kept; will try again", error=str(error))
                delay = LOOK_SECONDS if isinstance(error, Refused) else RETRY_SECONDS
            await asyncio.sleep(delay)

    async def keep(self) -> None:
        """Look once, and make and write what is missing.

        Raises:
            ClusterError: try again.
        """
        namespace, name = self.secret
        configuration = await self.cluster.get(names.WEBHOOK_CONFIGURATION, None, self.configuration)
        secret = await self.cluster.get(names.SECRET, namespace, name)
        present = (secret or {}).get("data") or {}
        bundles = _published(configuration)
        # More than one only where somebody has changed one of them.
        published = next(iter(bundles)) if len(bundles) == 1 else None
        data, bundle = self._renewed(present, published)
        if data != {key: present.get(key) for key in data}:
            await self._write_secret(data, secret)
        if configuration is None:
            log.warning("the webhook's configuration is not there", name=self.configuration)
        elif published != bundle:
            await self._publish(configuration, bundle)

    def _renewed(self, present: Manifest, published: bytes | None) -> tuple[dict[str, str], bytes]:
        """Data of the Secret as they are to be, and the bundle in them."""
        now = self.now()
        held = certificates.read(present)
        todo = certificates.plan(held, published, self.hosts, now)
        if not todo.why and todo.kept == held.trusted:
            return {}, certificates.bundle(todo.kept)
        authority = issuing.authority(now) if todo.new_authority or held.authority is None else held.authority
        serving = held.serving
        if todo.new_serving or serving is None:
            serving = issuing.serving(authority, self.hosts, now)
        trusted = todo.kept if authority.certificate in todo.kept else (authority.certificate, *todo.kept)
        _tell(todo)
        return certificates.write(authority, trusted, serving), certificates.bundle(trusted)

    async def _write_secret(self, data: dict[str, str], present: Manifest | None) -> None:
        namespace, name = self.secret
        manifest = {
            "apiVersion": names.SECRET.api_version,
            "kind": names.SECRET.name,
            "metadata": {"name": name, "namespace": namespace},
            "data": data,
        }
        await self.cluster.apply(names.SECRET, manifest, present, manager=names.CERTIFICATE_MANAGER, unchanged=True)

    async def _publish(self, configuration: Manifest, bundle: bytes) -> None:
        """Have the API server trust the bundle; of the configuration nothing else is ours."""
        encoded = base64.b64encode(bundle).decode()
        meta = configuration["metadata"]
        manifest = {
            "apiVersion": names.WEBHOOK_CONFIGURATION.api_version,
            "kind": names.WEBHOOK_CONFIGURATION.name,
            "metadata": {"name": meta["name"]},
            "webhooks": [
                {"name": webhook["name"], "clientConfig": {"caBundle": encoded}}
                for webhook in configuration.get("webhooks") or []
            ],
        }
        # What arrives late must not take the place of what another leader has published since.
        await self.cluster.apply(
            names.WEBHOOK_CONFIGURATION, manifest, configuration, manager=names.CERTIFICATE_MANAGER, unchanged=True
        )
        log.info("the API server trusts the webhook", configuration=meta["name"])


def _published(configuration: Manifest | None) -> set[bytes | None]:
    webhooks = (configuration or {}).get("webhooks") or []
    return {_decoded(webhook.get("clientConfig", {}).get("caBundle", "")) for webhook in webhooks}


def _decoded(encoded: str) -> bytes | None:
    try:
        return base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        return None


def _tell(todo: Plan) -> None:
    if todo.why:
        made = [name for name, new in (("authority", todo.new_authority), ("serving", todo.new_serving)) if new]
        log.info("webhook certificates renewed", made=made, reason=todo.why)
