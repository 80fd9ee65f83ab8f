"""Judging a slice of a batch, and its answers as they are sent."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from typosentinel_server.errors import DomainError, EcosystemUnknown, NameRefused
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.model import Ecosystem, Package, ScanResult
from typosentinel_server.verdictjson import Rendered

# About ten milliseconds of a worker: one that dies takes little with it, and of each ecosystem there are several.
SLICE_NAMES = 256

# Where a name is from, the name, the version that was given, and its place in the batch.
Asked = tuple[Ecosystem, str, str | None, int]


@dataclass(slots=True)
class Judged:
    """One judgement, which each item that asks for it gets as a line of its own.

    Attributes:
        verdict: what to think of the name.
        json: the rest of it.
    """

    verdict: str
    json: Rendered

    def line(self, batch: str, index: int, name: str, version: str | None, *, cached: bool, seconds: float) -> bytes:
        """The answer to one item: a JSON object without a line feed."""
        scan_id = f"{batch}-{index}"
        body = self.json.bytes(scan_id=scan_id, name=name, version=version, cached=cached, seconds=seconds)
        return b'{"index":%d,"result":%b}' % (index, body)


@dataclass(slots=True)
class Written:
    """One judgement as the line of the item that asked for it first.

    Attributes:
        verdict: what to think of the name.
        first: the line.
    """

    verdict: str
    first: bytes

    def again(self, batch: str, index: int, name: str, version: str | None) -> bytes:
        """The answer to another item that asks for the same name."""
        result = orjson.loads(self.first)["result"]
        own = {"id": f"{batch}-{index}", "name": name, "version": version, "cached": True, "durationMs": 0.0}
        return orjson.dumps({"index": index, "result": result | own})


@dataclass(slots=True)
class Refused:
    """Why a name was not judged: a code, a sentence and a way out."""

    code: str
    message: str
    suggestion: str

    @classmethod
    def of(cls, error: DomainError) -> "Refused":
        """What an error says."""
        return cls(error.code, error.message, error.suggestion)


Answer = Judged | Written | Refused
# What comes from a worker.
Answers = list[ScanResult | Written | Refused]
EngineOf = Callable[[Ecosystem], Engine]


def judge(engine_of: EngineOf, asked: Sequence[Asked]) -> list[ScanResult | Refused]:
    """The judgements by name alone, in the order asked; one ecosystem is done after another.

    Raises whatever `engine_of` does for an ecosystem that it has no engine for.
    """
    found: dict[int, ScanResult | Refused] = {}
    # What an ecosystem's index touches stays in the processor's cache.
    for place in sorted(range(len(asked)), key=lambda place: asked[place][0]):
        ecosystem, name, *_ = asked[place]
        try:
            found[place] = engine_of(ecosystem).scan(Package(ecosystem, name))
        except (EcosystemUnknown, NameRefused) as error:
            found[place] = Refused.of(error)
    return [found[place] for place in range(len(asked))]


def written(engine_of: EngineOf, asked: Sequence[Asked], batch: str) -> list[Written | Refused]:
    """The judgements as lines of a batch; each has taken its share of the time. Raises what `judge` does."""
    started = time.perf_counter()
    results = judge(engine_of, asked)
    seconds = (time.perf_counter() - started) / max(1, len(asked))
    found: list[Written | Refused] = []
    for (_, name, version, index), result in zip(asked, results, strict=True):
        if isinstance(result, Refused):
            found.append(result)
            continue
        judged = Judged(result.verdict.value, Rendered.of(result))
        line = judged.line(batch, index, name, version, cached=False, seconds=seconds)
        found.append(Written(judged.verdict, line))
    return found
