"""Judging a slice of a batch: the same work in a worker and in the server's own process."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from typosentinel_server.errors import DomainError, EcosystemUnknown, NameRefused
from typosentinel_server.scan.engine import Engine
from typosentinel_server.scan.model import Ecosystem, Package, ScanResult
from typosentinel_server.verdictjson import Rendered

# About twelve milliseconds of a worker: one that dies takes little with it, and of each ecosystem there are several.
SLICE_NAMES = 256

Asked = tuple[Ecosystem, str]


@dataclass(slots=True)
class Judged:
    """One judgement, ready to be sent.

    Attributes:
        verdict: what to think of the name.
        json: the rest of it.
    """

    verdict: str
    json: Rendered


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


Answer = Judged | Refused
EngineOf = Callable[[Ecosystem], Engine]


def judge(engine_of: EngineOf, asked: Sequence[Asked]) -> list[ScanResult | Refused]:
    """The judgements by name alone, in the order asked; one ecosystem is done after another.

    Raises whatever `engine_of` does for an ecosystem that it has no engine for.
    """
    found: dict[int, ScanResult | Refused] = {}
    # What an ecosystem's index touches stays in the processor's cache.
    for place in sorted(range(len(asked)), key=lambda place: asked[place][0]):
        ecosystem, name = asked[place]
        try:
            found[place] = engine_of(ecosystem).scan(Package(ecosystem, name))
        except (EcosystemUnknown, NameRefused) as error:
            found[place] = Refused.of(error)
    return [found[place] for place in range(len(asked))]


def rendered(result: ScanResult | Refused) -> Answer:
    """A judgement as it is sent; what was refused stays as it is."""
    if isinstance(result, Refused):
        return result
    return Judged(result.verdict.value, Rendered.of(result))
