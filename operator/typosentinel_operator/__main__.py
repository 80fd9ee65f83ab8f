"""`typosentinel-operator`: the command line, and the one place where clocks, chance and the environment come in."""

import asyncio
import math
import os
import random
import secrets
import signal
import sys
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import aiohttp
import click
import kopf
import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector

from typosentinel_operator import handlers, names, probes
from typosentinel_operator import settings as process_settings
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.control import Control
from typosentinel_operator.errors import ClusterError, LeadershipLost, OperatorError, SettingsError, WatchFailed
from typosentinel_operator.leader import Elector
from typosentinel_operator.lease import Tenure, Timing
from typosentinel_operator.reconcile import Reconciler
from typosentinel_operator.scrape import Scraper
from typosentinel_operator.settings import Settings
from typosentinel_operator.telemetry import Telemetry, configure_logging, make_telemetry
from typosentinel_operator.tokens import Tokens

log = structlog.get_logger(__name__)

CRD_POLL_SECONDS = 2.0
TOKEN_BYTES = 32
UNUSABLE_EXIT_CODE = 2
LEADERSHIP_LOST_EXIT_CODE = 3
WATCH_FAILED_EXIT_CODE = 4


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("typosentinel"), prog_name="typosentinel-operator")
def main() -> None:
    """Reconciles ScanServices, CachePolicies and ScalingPolicies into running scanners."""


@main.command()
@click.option(
    "--kubeconfig",
    type=click.Path(exists=True, dir_okay=False),
    help="Kubeconfig to use outside a cluster. Default: the KUBECONFIG variable, then ~/.kube/config.",
)
def run(kubeconfig: str | None) -> None:
    """Run the operator until it is told to stop (SIGTERM, SIGINT).

    Settings are environment variables TYPOSENTINEL_…; those without a default are TYPOSENTINEL_SERVER_IMAGE,
    the image of the scanners, and, for the election of a leader, TYPOSENTINEL_POD_NAME and TYPOSENTINEL_POD_NAMESPACE.
    A single operator by hand needs no election: TYPOSENTINEL_LEADER_ELECTION=false.

    Exit codes: 0 after a signal, 2 for settings that can't be used, 3 when leadership was lost, 4 when a watch failed.
    """
    code = 0
    if kubeconfig:
        # kopf and the client library both look here.
        os.environ["KUBECONFIG"] = kubeconfig
    try:
        settings = process_settings.load(os.environ)
        configure_logging(settings.log_format, settings.log_level)
        asyncio.run(serve(settings))
    except* LeadershipLost:
        # The elector has said why. A new process begins anew, and knows nothing that may be out of date.
        code = LEADERSHIP_LOST_EXIT_CODE
    except* WatchFailed:
        # Said already. Another one takes over at once: the Lease has been given back.
        code = WATCH_FAILED_EXIT_CODE
    except* OperatorError as group:
        for error in group.exceptions:
            click.echo(f"typosentinel-operator: {error}", err=True)
        code = UNUSABLE_EXIT_CODE
    except* asyncio.CancelledError:
        log.info("operator stopped before it led")
    sys.exit(code)


async def serve(settings: Settings) -> None:
    """Wire everything, run until kopf has seen a signal, then take it down in order."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    telemetry = make_telemetry(registry)
    async with AsyncExitStack() as stack:
        agent = f"typosentinel-operator/{version('typosentinel')}"
        tenure = Tenure(time.monotonic)  # noqa: TID251 - the composition root
        cluster = await Cluster.connect(
            telemetry, settings.request_timeout_seconds, agent, os.environ.get("KUBECONFIG"), tenure.left
        )
        stack.push_async_callback(cluster.close)
        session = await stack.enter_async_context(aiohttp.ClientSession(headers={"User-Agent": agent}))
        now = _now
        scraper = Scraper(session, settings.scrape_timeout_seconds)
        tokens = Tokens(lambda: secrets.token_urlsafe(TOKEN_BYTES))
        reconciler = Reconciler(cluster, scraper, settings.server_image, now, tokens)
        control = Control(
            cluster=cluster,
            reconciler=reconciler,
            telemetry=telemetry,
            namespaces=settings.watch_namespaces,
            resync_seconds=settings.resync_seconds,
            clock=time.monotonic,  # noqa: TID251 - the composition root
            now=now,
            chance=random.random,  # noqa: TID251 - the composition root
        )
        elector = _elector(settings, cluster, telemetry, tenure) if settings.leader_election else None
        runner = web.AppRunner(
            probes.make_app(control, elector, registry, telemetry, time.monotonic),  # noqa: TID251 - as above
            access_log=None,
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        try:
            await web.TCPSite(runner, settings.probe_host, settings.probe_port).start()
        except OSError as error:
            message = f"TYPOSENTINEL_PROBE_HOST, TYPOSENTINEL_PROBE_PORT: {error.strerror}"
            raise SettingsError(message) from None
        # Until kopf takes over the signals; the first process of a container has no handler unless it sets one.
        waiting = asyncio.current_task()
        if waiting is not None:
            for which in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(which, waiting.cancel)
        log.info("operator started", probes=[str(address) for address in runner.addresses])
        await _wait_for_crds(cluster)
        if elector is None:
            log.warning("no election: this operator writes without asking whether another one does")
            tenure.until = math.inf
            telemetry.leader.set(1)
            await _run_until_stopped(control, settings)
        else:
            await elector.lead(lambda: _run_until_stopped(control, settings))


def _elector(settings: Settings, cluster: Cluster, telemetry: Telemetry, tenure: Tenure) -> Elector:
    return Elector(
        cluster=cluster,
        telemetry=telemetry,
        tenure=tenure,
        place=(settings.pod_namespace, settings.lease_name),
        identity=settings.pod_name,
        timing=Timing(settings.lease_duration_seconds, settings.renew_deadline_seconds, settings.retry_period_seconds),
        clock=tenure.clock,
        now=_now,
    )


async def _wait_for_crds(cluster: Cluster) -> None:
    """Wait, because kopf gives up on kinds that are not served, and a chart may install them after us."""
    while True:
        try:
            if await cluster.serves(*names.CUSTOM_KINDS):
                return
            log.warning("the custom resources are not installed yet; waiting", api_version=names.API_VERSION)
        except ClusterError as error:
            log.warning("the API server does not answer yet; waiting", error=str(error))
        await asyncio.sleep(CRD_POLL_SECONDS)


async def _run_until_stopped(control: Control, settings: Settings) -> None:
    registry = kopf.OperatorRegistry()
    handlers.register(registry, control.queue)
    # A UID without a passwd entry has no user name to make an identity of.
    identity: Any = os.environ.get("HOSTNAME", "typosentinel-operator")
    async with asyncio.TaskGroup() as group:
        work = [
            group.create_task(control.queue.run(settings.workers)),
            group.create_task(control.resync_forever()),
        ]
        # At its end kopf waits five seconds for every task that is younger than itself: let ours, workers too, begin.
        await asyncio.sleep(0)
        try:
            # kopf owns the signals: it returns when one has come.
            await kopf.operator(
                registry=registry,
                settings=handlers.watch_settings(),
                namespaces=settings.watch_namespaces,
                clusterwide=not settings.watch_namespaces,
                standalone=True,
                identity=identity,
            )
        except Exception as error:
            # An error in a stream, but for "too old", ends kopf; and its end ends tasks of ours that are younger.
            log.error("a watch failed; the process ends", reason=str(error))  # noqa: TRY400 - the reason is enough
            raise WatchFailed(str(error)) from error
        log.info("operator stopping")
        for task in work:
            task.cancel()


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the composition root


if __name__ == "__main__":
    main()
