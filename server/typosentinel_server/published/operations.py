"""What the public routes take and answer, from which their OpenAPI document is made."""

from typing import Final

import orjson

from typosentinel_server.batches.wire import BatchRequest, BatchResponse
from typosentinel_server.batchviews import NDJSON
from typosentinel_server.benchmarkviews import EXAMPLE as BENCHMARK_EXAMPLE
from typosentinel_server.published.openapi import LIMIT_HEADERS, Answer, Head, Operation
from typosentinel_server.schemas import (
    BenchmarkRequest,
    HealthResponse,
    LiveResponse,
    ReadyResponse,
    ScanRequest,
    ScanResponse,
)
from typosentinel_server.statusschemas import (
    MetricsResponse,
    StatsResponse,
    StatusResponse,
)
from typosentinel_server.wirereports import BenchmarkResponse, MethodBody, MethodsResponse

HEAD: Final = Head(
    title="Typosentinel",
    version="",
    description="Judges package names: is one close enough to a popular name to be taken for it?",
    tags={
        "Scan": "Judging names.",
        "Methods": "How confusions are found, and how well.",
        "State": "How it stands with a server.",
        "Documentation": "This document and its page.",
    },
    security={
        "ApiKey": {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "Only where limits by key are configured; without a key the address counts.",
        }
    },
    required=False,
    errors={},
)
HTML: Final = "text/html"
PROMETHEUS: Final = "text/plain"
LIMITED: Final = {429: ("RATE_LIMITED",)}
NAME_CODES: Final = (
    "UNKNOWN_ECOSYSTEM",
    "ECOSYSTEM_NOT_SERVED",
    "NAME_EMPTY",
    "NAME_TOO_LONG",
    "NAME_INVALID",
    "NAME_HAS_INVISIBLE_CHARACTER",
)
HEALTH: Final = {
    200: Answer(says="Names can be judged; `status` tells ok from degraded.", model=HealthResponse),
    503: Answer(says="Nothing can be judged.", model=HealthResponse),
}
READY: Final = {200: Answer(says="New requests are welcome.", model=ReadyResponse)}
DOCUMENT: Final = {200: Answer(says="The document.", other=("application/json",))}
PAGE: Final = {200: Answer(says="The page.", other=(HTML,))}

SCAN: Final = (
    Operation(
        method="POST",
        path="/api/v1/scan",
        name="scan",
        tag="Scan",
        summary="Judge one package",
        description="The verdict comes with every reason for it. Metadata is optional and sharpens it.",
        body=ScanRequest,
        examples={
            "a slip of the hand": {"ecosystem": "PyPI", "name": "reqeusts"},
            "a popular name": {"ecosystem": "npm", "name": "lodash", "version": "4.17.21"},
            "with metadata": {
                "ecosystem": "PyPI",
                "name": "reqeusts",
                "metadata": {
                    "firstRelease": "2026-10-01",
                    "downloads": 12,
                    "maintainers": ["somebody"],
                    "repository": "https://github.com/somebody/reqeusts",
                },
            },
        },
        answers={200: Answer(says="The judgement.", model=ScanResponse, headers=LIMIT_HEADERS)},
        errors={422: NAME_CODES, **LIMITED},
    ),
)
BATCH: Final = (
    Operation(
        method="POST",
        path="/api/v1/batch",
        name="batch",
        tag="Scan",
        summary="Judge up to 10,000 packages",
        description=(
            "Answers come in the order of the items, each a result or an error of its own; a batch of n counts as n "
            "requests. Lines (NDJSON) are read and answered as they come; `Accept` chooses the form of the answer."
        ),
        body=BatchRequest,
        other_bodies=(NDJSON,),
        examples={"two": {"items": [{"ecosystem": "PyPI", "name": n} for n in ("reqeusts", "requests")]}},
        answers={200: Answer(says="What became of each.", model=BatchResponse, other=(NDJSON,), headers=LIMIT_HEADERS)},
        errors={
            413: ("TOO_MANY_ITEMS",),
            422: ("BATCH_EMPTY",),
            503: ("WORKERS_BUSY", "WORKERS_GONE", "TOO_MANY_BATCHES"),
            504: ("BATCH_TIMED_OUT",),
            **LIMITED,
        },
    ),
)
METHODS: Final = (
    Operation(
        method="GET",
        path="/api/v1/methods",
        name="methods",
        tag="Methods",
        summary="How confusions are found",
        answers={200: Answer(says="All methods.", model=MethodsResponse, headers=LIMIT_HEADERS)},
        errors=LIMITED,
    ),
    Operation(
        method="GET",
        path="/api/v1/methods/{name}",
        name="method",
        tag="Methods",
        summary="One method",
        parameters={"name": ({"type": "string", "minLength": 1, "examples": ["transposition"]}, "Of the method.")},
        answers={200: Answer(says="The method.", model=MethodBody, headers=LIMIT_HEADERS)},
        errors={404: ("UNKNOWN_METHOD", "NOT_FOUND"), **LIMITED},
    ),
    Operation(
        method="POST",
        path="/api/v1/benchmark",
        name="submitBenchmark",
        tag="Methods",
        summary="Measure the methods on labelled names",
        description="Label 1 is an attack, 0 an honest name. A server runs one at a time and lets four wait.",
        body=BenchmarkRequest,
        examples={"one attack": orjson.loads(BENCHMARK_EXAMPLE)},
        answers={
            202: Answer(says="It is queued.", model=BenchmarkResponse, headers=("Location", *LIMIT_HEADERS)),
        },
        errors={422: ("UNKNOWN_METHOD",), 503: ("BENCHMARKS_WAITING", "DRAINING"), **LIMITED},
    ),
    Operation(
        method="GET",
        path="/api/v1/benchmark/{id}",
        name="benchmark",
        tag="Methods",
        summary="How far a benchmark is, and its figures",
        parameters={"id": ({"type": "string", "minLength": 1}, "Of the benchmark.")},
        answers={200: Answer(says="The benchmark.", model=BenchmarkResponse, headers=LIMIT_HEADERS)},
        errors={404: ("UNKNOWN_BENCHMARK", "NOT_FOUND"), **LIMITED},
    ),
)
STATE: Final = (
    Operation(
        method="GET",
        path="/health",
        name="health",
        tag="State",
        summary="State in words and figures",
        answers=HEALTH,
    ),
    Operation(
        method="GET",
        path="/ready",
        name="ready",
        tag="State",
        summary="Whether new requests are welcome",
        answers=READY,
        errors={503: ("DRAINING", "NO_CORPUS")},
    ),
    Operation(
        method="GET",
        path="/live",
        name="live",
        tag="State",
        summary="Whether the event loop makes progress",
        answers={200: Answer(says="It does.", model=LiveResponse)},
        errors={503: ("STALLED",)},
    ),
    Operation(
        method="GET",
        path="/status",
        name="status",
        tag="State",
        summary="State of all parts, for people",
        description="A page; with `Accept: application/json` the same as JSON.",
        answers={200: Answer(says="The state.", model=StatusResponse, other=(HTML,))},
    ),
    Operation(
        method="GET",
        path="/stats",
        name="stats",
        tag="State",
        summary="Figures since the start",
        answers={200: Answer(says="The figures.", model=StatsResponse)},
    ),
    Operation(
        method="GET",
        path="/metrics",
        name="metrics",
        tag="State",
        summary="Metrics",
        description="Prometheus' text format; with `Accept: application/json` the same as JSON.",
        answers={200: Answer(says="The metrics.", model=MetricsResponse, other=(PROMETHEUS,))},
    ),
    Operation(
        method="GET",
        path="/metrics/prometheus",
        name="metricsPrometheus",
        tag="State",
        summary="Metrics in Prometheus' text format, whatever is accepted",
        answers={200: Answer(says="The metrics.", other=(PROMETHEUS,))},
    ),
    Operation(
        method="GET",
        path="/api/health",
        name="apiHealth",
        tag="State",
        summary="Another name of /health",
        answers=HEALTH,
    ),
    Operation(
        method="GET",
        path="/api/ready",
        name="apiReady",
        tag="State",
        summary="Another name of /ready",
        answers=READY,
        errors={503: ("DRAINING", "NO_CORPUS")},
    ),
)


def documentation(prefixes: tuple[str, ...] = ("", "/api")) -> tuple[Operation, ...]:
    """The operations of the document and its page, under each prefix."""
    found = []
    for prefix in prefixes:
        alias = prefix.strip("/")
        found += [
            Operation(
                method="GET",
                path=f"{prefix}/openapi.json",
                name=f"{alias}Openapi" if alias else "openapi",
                tag="Documentation",
                summary="This document",
                answers=DOCUMENT,
                public=True,
            ),
            Operation(
                method="GET",
                path=f"{prefix}/docs",
                name=f"{alias}Docs" if alias else "docs",
                tag="Documentation",
                summary="A page to read it and to try it out",
                answers=PAGE,
                public=True,
            ),
        ]
    return tuple(found)


OPERATIONS: Final = (*SCAN, *BATCH, *METHODS, *STATE, *documentation())
