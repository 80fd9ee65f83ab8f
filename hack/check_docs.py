"""Fail where the documentation has drifted from the code: `python hack/check_docs.py`.

Every make target, setting, route, metric, condition, reason and command must be named in the docs; every link between
pages must lead somewhere; and what README shows of the command line must be what it prints.
"""

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from pydantic import BaseModel

from typosentinel_operator import names
from typosentinel_operator import settings as operator_settings
from typosentinel_operator.telemetry import make_telemetry, make_webhook_telemetry
from typosentinel_server.administration import operations as administrative
from typosentinel_server.batches.tally import BatchTally
from typosentinel_server.breakermetrics import BreakerCollector
from typosentinel_server.cache.caches import Caches
from typosentinel_server.cache.collector import CacheCollector
from typosentinel_server.cache.memory import MemoryCache
from typosentinel_server.cli import program
from typosentinel_server.clock import Clock
from typosentinel_server.logs import Log
from typosentinel_server.metrics import Metrics
from typosentinel_server.providers.collector import ProviderCollector
from typosentinel_server.published.pages import ASSET_PATH
from typosentinel_server.ratelimit.collector import LimitCollector
from typosentinel_server.ratelimit.limiter import NO_LIMITS, Limiter
from typosentinel_server.routes import ROUTES
from typosentinel_server.sections.cache import CacheSettings
from typosentinel_server.sections.workers import WorkerSettings
from typosentinel_server.settings import LogLevel, Settings, model_of
from typosentinel_server.workers.pool import Pool
from typosentinel_server.workers.tally import PoolTally

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def text(*paths: str) -> str:
    """The text of some pages."""
    return "\n".join((ROOT / path).read_text() for path in paths)


def missing(what: str, wanted: Iterator[str], page: str) -> Iterator[str]:
    """One complaint for each name that a page does not hold."""
    content = text(page)
    for name in wanted:
        if f"`{name}`" not in content and f"`{name} " not in content:
            yield f"{page}: {what} {name} is not described"


def make_targets() -> Iterator[str]:
    """Targets with a help text."""
    for line in text("Makefile").splitlines():
        found = re.match(r"^([a-z0-9-]+):.*## ", line)
        if found:
            yield f"make {found[1]}"


def server_metrics() -> Iterator[str]:
    """Names of the server's own metrics as they are exposed."""
    metrics = Metrics("0")
    registry = metrics.registry
    held: MemoryCache[Any, Any] = MemoryCache(1, 1.0, time.monotonic)
    registry.register(CacheCollector(Caches(held, CacheSettings(), Clock(time.time, time.monotonic), lambda: 0.5)))
    for collector in (ProviderCollector(tuple), BreakerCollector()):
        registry.register(collector)
    registry.register(LimitCollector(Limiter(NO_LIMITS, lambda: 0.0)))
    BatchTally(registry, metrics.scans)
    clock = Clock(wall=float, monotonic=float)
    Pool(WorkerSettings(), clock, Log("json", LogLevel.ERROR), PoolTally(registry))
    yield from _exposed(registry)


def operator_metrics() -> Iterator[str]:
    """Names of the operator's and the webhook's own metrics as they are exposed."""
    registry = CollectorRegistry()
    make_telemetry(registry)
    make_webhook_telemetry(registry)
    yield from _exposed(registry)


def _exposed(registry: CollectorRegistry) -> Iterator[str]:
    for family in registry.collect():
        if not family.name.startswith(("process_", "python_")):
            yield family.name + ("_total" if family.type == "counter" else "")


def constants(room: type) -> Iterator[str]:
    """Values of the constants in a class of `names`."""
    yield from (value for key, value in vars(room).items() if not key.startswith("_"))


def document_fields(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Dotted fields of the server's document."""
    for field in model.model_fields.values():
        here = f"{path}.{field.alias}" if path else str(field.alias)
        inner = model_of(field.annotation)
        if inner is not None and inner.model_fields:
            yield from document_fields(inner, here)
        elif field.alias not in {"apiVersion", "kind"}:
            yield here


def broken_links() -> Iterator[str]:
    """Links between pages that lead nowhere."""
    for page in [ROOT / "README.md", *DOCS.rglob("*.md"), *(ROOT / "hack").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in link and not (page.parent / link).exists():
                yield f"{page.relative_to(ROOT)}: the link to {link} leads nowhere"


def commands() -> Iterator[str]:
    """Sub-commands of the scanner's command line."""
    yield from (f"typosentinel {name}" for name in program.commands)


def problems() -> Iterator[str]:
    """Everything that has drifted."""
    yield from missing("target", make_targets(), "README.md")
    yield from missing("command", commands(), "README.md")
    yield from missing("metric", server_metrics(), "docs/reference/metrics.md")
    yield from missing("metric", operator_metrics(), "docs/reference/metrics.md")
    yield from missing("condition", constants(names.Condition), "docs/operations.md")
    yield from missing("reason", constants(names.Reason), "docs/operations.md")
    public = (f"{route.method} {route.path}" for route in ROUTES if not route.path.endswith(ASSET_PATH))
    yield from missing("route", public, "docs/reference/http-api.md")
    yield from missing("route", (f"{o.method} {o.path}" for o in administrative.ALL), "docs/administration.md")
    yield from missing("field", document_fields(Settings), "docs/reference/configuration.md")
    processes = (operator_settings.Settings, operator_settings.WebhookSettings)
    variables = (operator_settings.PREFIX + field.upper() for one in processes for field in one.model_fields)
    yield from missing("variable", variables, "docs/reference/configuration.md")
    yield from broken_links()


def main() -> int:
    """Check; returns the exit code."""
    found = list(problems())
    print("\n".join(found) or "docs: current")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
