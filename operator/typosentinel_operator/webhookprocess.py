"""`typosentinel-operator webhook`: a process of its own, so that a busy operator keeps no `kubectl apply` waiting."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import click
import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from typosentinel_operator import settings as process_settings
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.errors import OperatorError, SettingsError
from typosentinel_operator.servingcertificate import ServingCertificate
from typosentinel_operator.settings import WebhookSettings
from typosentinel_operator.telemetry import configure_logging, make_telemetry, make_webhook_telemetry
from typosentinel_operator.webhook import Reviewer, make_runner

log = structlog.get_logger(__name__)

UNUSABLE_EXIT_CODE: Final = 2
# Without a look at the certificate for so long, the loop stands still.
SILENT_SECONDS: Final = 60.0


@click.command()
@click.option(
    "--kubeconfig",
    type=click.Path(exists=True, dir_okay=False),
    help="Kubeconfig to use outside a cluster. Default: the KUBECONFIG variable, then ~/.kube/config.",
)
def webhook(kubeconfig: str | None) -> None:
    """Answer the API server's questions about our kinds until told to stop (SIGTERM, SIGINT).

    Settings are environment variables TYPOSENTINEL_…; all of them have a default. The certificate comes from
    TYPOSENTINEL_WEBHOOK_DIRECTORY, whoever makes it.

    Exit codes: 0 after a signal, 2 for settings that can't be used.
    """
    try:
        settings = process_settings.load_webhook(os.environ)
        configure_logging(settings.log_format, settings.log_level)
        asyncio.run(_serve(settings, kubeconfig or os.environ.get("KUBECONFIG")))
    except OperatorError as error:
        click.echo(f"typosentinel-operator: {error}", err=True)
        sys.exit(UNUSABLE_EXIT_CODE)


async def _serve(settings: WebhookSettings, kubeconfig: str | None) -> None:
    """Wire everything, serve until a signal, drain, end."""
    clock = time.monotonic  # noqa: TID251 - the composition root
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    telemetry = make_webhook_telemetry(registry)
    told = asyncio.Event()
    for which in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(which, told.set)
    async with AsyncExitStack() as stack:
        agent = f"typosentinel-webhook/{version('typosentinel')}"
        # No time for writes: it has no right to any, and would not send one. So what counts them is shown nowhere.
        cluster = await Cluster.connect(
            make_telemetry(CollectorRegistry()), settings.webhook_timeout_seconds, agent, kubeconfig, lambda: 0.0
        )
        stack.push_async_callback(cluster.close)
        certificate = ServingCertificate(Path(settings.webhook_directory), telemetry, clock)
        following = asyncio.create_task(certificate.follow())
        stack.callback(following.cancel)
        # Without it this would serve an old certificate until somebody asks whether it lives.
        following.add_done_callback(lambda _: told.set())
        reviewer = Reviewer(cluster, settings.watch_namespaces, settings.webhook_timeout_seconds)
        asked = make_runner(reviewer, telemetry, clock, told.is_set)
        probed = web.AppRunner(_probes(certificate, registry, told.is_set), access_log=None)
        for runner in (probed, asked):
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
        await _listen(web.TCPSite(probed, settings.probe_host, settings.probe_port), "PROBE")
        place = (settings.webhook_host, settings.webhook_port)
        await _listen(web.TCPSite(asked, *place, ssl_context=certificate.context), "WEBHOOK")
        log.info("webhook started", addresses=[str(address) for address in asked.addresses])
        await told.wait()
        if following.done():
            following.result()
        log.info("webhook stopping", drain_seconds=settings.webhook_drain_seconds)
        # Until nobody is sent here any more.
        await asyncio.sleep(settings.webhook_drain_seconds)


async def _listen(site: web.TCPSite, which: str) -> None:
    try:
        await site.start()
    except OSError as error:
        prefix = process_settings.PREFIX + which
        raise SettingsError(f"{prefix}_HOST, {prefix}_PORT: {error.strerror}") from None


def _probes(
    certificate: ServingCertificate, registry: CollectorRegistry, leaving: Callable[[], bool]
) -> web.Application:
    """/livez, /readyz and /metrics. Ready is who has a certificate that holds; the API server may be away."""

    async def livez(_: web.Request) -> web.Response:
        age = certificate.age()
        return _answer(f"no look at the certificate for {age:.0f} s" if age > SILENT_SECONDS else "")

    async def readyz(_: web.Request) -> web.Response:
        if leaving():
            return _answer("stopping")
        if certificate.expires is None:
            return _answer("no certificate yet")
        return _answer("the certificate has ended" if certificate.expires <= _now() else "")

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/livez", livez), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    return app


def _answer(trouble: str) -> web.Response:
    return web.Response(status=503, text=f"{trouble}\n") if trouble else web.Response(text="ok\n")


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the composition root
