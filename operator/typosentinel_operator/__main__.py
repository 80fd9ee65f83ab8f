"""`typosentinel-operator`: the command line, and the one place where clocks, chance and the environment come in."""

import asyncio
import math
import os
import random
import secrets
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from itertools import count
from typing import Any

import aiohttp
import click
import kopf
import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector

from typosentinel_operator import handlers, names, probes, webhookprocess
from typosentinel_operator import settings as process_settings
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.control import Control
from typosentinel_operator.errors import ClusterError, LeadershipLost, OperatorError, SettingsError, WatchFailed
from typosentinel_operator.events import Outbox
from typosentinel_operator.leader import Elector
from typosentinel_operator.lease import Tenure, Timing
from typosentinel_operator.reconcile import Reconciler
from typosentinel_operator.scope import Scope
from typosentinel_operator.scrape import Scraper
from typosentinel_operator.settings import Settings
from typosentinel_operator.telemetry import Telemetry, configure_logging, make_telemetry
from typosentinel_operator.tokens import Tokens
from typosentinel_operator.trust import Trust
from typosentinel_operator.watching import watching

log = structlog.get_logger(__name__)

CRD_POLL_SECONDS = 2.0
CRD_POLLS_A_LINE = 15
TOKEN_BYTES = 32
UNUSABLE_EXIT_CODE = 2
LEADERSHIP_LOST_EXIT_CODE = 3
WATCH_FAILED_EXIT_CODE = 4
SIGNALS = (signal.SIGTERM, signal.SIGINT)
# As shells and Kubernetes tell of a process that a signal has ended.
SIGNAL_EXIT_CODE = 128
# What is under way when the process is told to stop gets so long, and what is left in the end so long.
FINISH_SECONDS = 5.0
LEFTOVER_SECONDS = 1.0


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("typosentinel"), prog_name="typosentinel-operator")
def main() -> None:
    """Reconciles ScanServices, CachePolicies and ScalingPolicies into running scanners."""


main.add_command(webhookprocess.webhook)


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

    The first signal ends it in order, within 20 seconds; a second one at once.

    Exit codes: 0 after a signal, 2 for settings that can't be used, 3 when leadership was lost, 4 when a watch failed,
    128 and the signal's number after a second one.
    """
    if kubeconfig:
        # kopf and the client library both look here.
        os.environ["KUBECONFIG"] = kubeconfig
    with asyncio.Runner() as runner:
        code = _code_of(runner)
        if left := runner.run(_leftover()):
            # The runner would wait for them for good.
            log.error("the process ends without tasks that do not", tasks=sorted(task.get_name() for task in left))
            os._exit(code)
    sys.exit(code)


def _code_of(runner: asyncio.Runner) -> int:
    """Run the operator; returns the exit code."""
    code = 0
    try:
        settings = process_settings.load(os.environ)
        configure_logging(settings.log_format, settings.log_level)
        runner.run(serve(settings))
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
        log.info("operator stopped")
    return code


async def _leftover() -> set[asyncio.Task[Any]]:
    """Tasks that go on although they were cancelled."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    return (await asyncio.wait(rest, timeout=LEFTOVER_SECONDS))[1] if rest else set()


async def serve(settings: Settings) -> None:
    """Wire everything, run until a signal cancels this task, then take it down in order."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    telemetry = make_telemetry(registry)
    async with AsyncExitStack() as stack:
        agent = f"typosentinel-operator/{version('typosentinel')}"
        shard = settings.lease_name if settings.selector else ""
        scope = Scope(settings.watch_namespaces, settings.selector, shard)
        tenure = Tenure(time.monotonic)  # noqa: TID251 - the composition root
        cluster = await Cluster.connect(
            telemetry, settings.request_timeout_seconds, agent, os.environ.get("KUBECONFIG"), tenure.left, scope
        )
        stack.push_async_callback(cluster.close)
        session = await stack.enter_async_context(aiohttp.ClientSession(headers={"User-Agent": agent}))
        now = _now
        scraper = Scraper(session, settings.scrape_timeout_seconds)
        tokens = Tokens(lambda: secrets.token_urlsafe(TOKEN_BYTES))
        outbox = Outbox(cluster, telemetry.events_dropped)
        reconciler = Reconciler(cluster, scraper, settings.server_image, now, tokens, outbox)
        control = Control(
            cluster=cluster,
            reconciler=reconciler,
            telemetry=telemetry,
            resync_seconds=settings.resync_seconds,
            clock=time.monotonic,  # noqa: TID251 - the composition root
            now=now,
            chance=random.random,  # noqa: TID251 - the composition root
        )
        trust = _trust(settings, cluster) if settings.webhook_configuration else None
        elector = _elector(settings, cluster, telemetry, tenure) if settings.leader_election else None
        runner = web.AppRunner(
            probes.make_app(control, elector, registry, telemetry, time.monotonic),  # noqa: TID251 - as above
            access_log=None,
            shutdown_timeout=LEFTOVER_SECONDS,
        )
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        try:
            await web.TCPSite(runner, settings.probe_host, settings.probe_port).start()
        except OSError as error:
            message = f"TYPOSENTINEL_PROBE_HOST, TYPOSENTINEL_PROBE_PORT: {error.strerror}"
            raise SettingsError(message) from None
        heed = partial(_heed_signals, asyncio.current_task())
        heed()
        log.info("operator started", probes=[str(address) for address in runner.addresses])
        await _wait_for_crds(cluster)

        async def lead() -> None:
            # They may have gone while we stood by, or be what the leader before us ended for.
            await _wait_for_crds(cluster)
            await _work(control, settings, tenure, trust, heed)

        if elector is None:
            log.warning("no election: this operator writes without asking whether another one does")
            tenure.until = math.inf
            telemetry.leader.set(1)
            await lead()
        else:
            await elector.lead(lead)


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


def _trust(settings: Settings, cluster: Cluster) -> Trust:
    return Trust(
        cluster=cluster,
        secret=(settings.pod_namespace, settings.webhook_secret),
        configuration=settings.webhook_configuration,
        hosts=settings.webhook_hosts,
        now=_now,
    )


async def _wait_for_crds(cluster: Cluster) -> None:
    """Wait, because kopf gives up on kinds that are not served, and a chart may install them after us."""
    said = ""
    for attempt in count():
        words = "the custom resources are not installed yet; waiting"
        try:
            if await cluster.serves(*names.CUSTOM_KINDS):
                return
        except ClusterError as error:
            words = f"the API server does not answer yet; waiting: {error}"
        # It may take days, and a line each time would bury the rest.
        if words != said or attempt % CRD_POLLS_A_LINE == 0:
            log.warning(words, api_version=names.API_VERSION)
            said = words
        await asyncio.sleep(CRD_POLL_SECONDS)


def _heed_signals(task: asyncio.Task[Any] | None) -> None:
    """Let the first signal cancel a task, and the second one end the process without further ado."""
    loop = asyncio.get_running_loop()

    def stop(which: signal.Signals) -> None:
        log.info("operator stopping", signal=which.name)
        for each in SIGNALS:
            # The default action would do, but not for the first process of a container: it has none.
            loop.add_signal_handler(each, os._exit, SIGNAL_EXIT_CODE + each)
        if task is not None:
            task.cancel()

    for each in SIGNALS:
        loop.add_signal_handler(each, stop, each)


async def _work(
    control: Control, settings: Settings, tenure: Tenure, trust: Trust | None, heed_signals: Callable[[], None]
) -> None:
    """Watch, reconcile and resync until cancelled, or until a watch fails."""
    registry = kopf.OperatorRegistry()
    handlers.register(registry, control)
    # A UID without a passwd entry has no user name to make an identity of.
    identity: Any = os.environ.get("HOSTNAME", "typosentinel-operator")
    namespaces = await control.choose_namespaces()
    watches = watching(registry, handlers.watch_settings(control.scope), namespaces, identity, heed_signals)
    async with watches as failure, asyncio.TaskGroup() as group:
        workers = group.create_task(control.work(settings.workers))
        others = [group.create_task(control.resync_forever())]
        if trust is not None:
            others.append(group.create_task(trust.keep_forever()))
        try:
            await failure()
        finally:
            for task in others:
                task.cancel()
            # A write that is under way is waited for: cancelled, it might be carried out when another one leads.
            await control.queue.finish(min(FINISH_SECONDS, tenure.left()))
            await control.reconciler.outbox.finish(min(LEFTOVER_SECONDS, tenure.left()))
            workers.cancel()


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the composition root


if __name__ == "__main__":
    main()
