"""The admission webhook: reads what a decision needs, and answers the API server. It never writes."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import structlog
from aiohttp import web

from typosentinel_operator import admission, names, relations, reviews
from typosentinel_operator.admission import Request, Surroundings, Verdict
from typosentinel_operator.cluster import Cluster
from typosentinel_operator.errors import BadReview, ClusterError
from typosentinel_operator.telemetry import WebhookTelemetry

log = structlog.get_logger(__name__)

# A review holds an object twice, before and after, each with annotations of up to 256 KiB beside what we define.
MAX_BYTES: Final = 2 * 1024 * 1024
# Reviews that are worked on at once: anybody in the cluster may send some, and each costs questions to the API server.
MAX_CONCURRENCY: Final = 32
# Longer than the API server keeps a connection that it does not use: it is the one to close it.
KEEPALIVE_SECONDS: Final = 600.0
# For requests that are under way at the end; none takes longer than its own time.
SHUTDOWN_SECONDS: Final = 5.0
# For what is still sent by whom has been answered already.
LINGERING_SECONDS: Final = 1.0

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Judges requests by what there is in the cluster.

    Attributes:
        cluster: the API server.
        namespaces: whose objects are judged; empty: all.
        seconds: for one request; what is not known by then is not waited for.
        places: for requests that are worked on.
    """

    cluster: Cluster
    namespaces: tuple[str, ...]
    seconds: float
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_CONCURRENCY))

    async def judge(self, request: Request) -> tuple[Verdict, str]:
        """What is answered, and its result as the metric has it."""
        if (self.namespaces and request.namespace not in self.namespaces) or not admission.concerns_us(request):
            return Verdict(), "allowed"
        verdict = admission.by_itself(request)
        if verdict.refusals:
            return verdict, "denied"
        try:
            async with asyncio.timeout(self.seconds), self.places:
                verdict = admission.among_others(request, await self._look_around(request))
        except (ClusterError, TimeoutError) as error:
            why = str(error) or f"the API server did not answer within {self.seconds:g} s"
            log.warning("request not checked", kind=request.kind.name, namespace=request.namespace, reason=why)
            return admission.unchecked(verdict, why), "unchecked"
        return verdict, "denied" if verdict.refusals else "warned" if verdict.warnings else "allowed"

    async def _look_around(self, request: Request) -> Surroundings:
        if request.kind == names.SCAN_SERVICE:
            child = names.child_name(request.name)
            wanted = admission.references(request)
            return Surroundings(
                deployment=await self.cluster.get(names.DEPLOYMENT, request.namespace, child),
                autoscalers=tuple(await self.cluster.list(names.AUTOSCALER, request.namespace)),
                policies={one: await self.cluster.get(one[0], request.namespace, one[1]) for one in wanted},
            )
        if request.operation != admission.DELETE:
            return Surroundings()
        services = await self.cluster.list(names.SCAN_SERVICE, request.namespace)
        policy = (request.kind, request.name)
        return Surroundings(
            users=tuple(one["metadata"]["name"] for one in services if policy in relations.policies(one))
        )


def make_runner(
    reviewer: Reviewer,
    telemetry: WebhookTelemetry,
    clock: Callable[[], float],
    leaving: Callable[[], bool],
) -> web.AppRunner:
    """The server that the API server asks, not listening yet.

    Args:
        reviewer: decides.
        telemetry: counts.
        clock: monotonic seconds.
        leaving: whether this process is about to end, so that connections should be made elsewhere.
    """

    async def validate(request: web.Request) -> web.Response:
        started = clock()
        result = "bad"
        try:
            async with asyncio.timeout(reviewer.seconds):
                body = await request.read()
            review = reviews.read(body)
            verdict, result = await reviewer.judge(review)
            if verdict.refusals:
                log.info("refused", kind=review.kind.name, namespace=review.namespace, name=review.name)
            return web.json_response(reviews.answer(review.uid, verdict))
        finally:
            telemetry.requests.labels(result).inc()
            telemetry.request_duration.observe(clock() - started)

    async def part(_: web.Request, response: web.StreamResponse) -> None:
        if leaving():
            response.force_close()
            # Its headers are made already.
            response.headers["Connection"] = "close"

    app = web.Application(client_max_size=MAX_BYTES, middlewares=[_errors_as_json])
    app.on_response_prepare.append(part)
    app.add_routes([web.post(names.WEBHOOK_PATH, validate)])
    return web.AppRunner(
        app,
        access_log=None,
        # The API server packs nothing.
        auto_decompress=False,
        keepalive_timeout=KEEPALIVE_SECONDS,
        lingering_time=LINGERING_SECONDS,
        shutdown_timeout=SHUTDOWN_SECONDS,
    )


@web.middleware
async def _errors_as_json(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Whatever goes wrong is told as Kubernetes tells it."""
    try:
        return await handler(request)
    except BadReview as error:
        return _status(400, f"no AdmissionReview of ours: {error}")
    except TimeoutError:
        return _status(408, "the request did not arrive in time")
    except web.HTTPException as error:
        return _status(error.status, error.reason)
    except Exception as error:  # noqa: BLE001 - the API server lets through what has no answer; a trace helps nobody there
        log.error("request not answered", error=f"{type(error).__name__}: {error}")  # noqa: TRY400 - said in one line
        return _status(500, "the webhook has failed; its log says how")


def _status(code: int, message: str) -> web.Response:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
    return web.Response(status=code, text=json.dumps(body), content_type="application/json")
