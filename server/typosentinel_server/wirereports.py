"""The wire forms of what views give out as they have it: methods and benchmarks."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from typosentinel_server.scan.model import Ecosystem


class Body(BaseModel):
    """Base of what goes over the wire: camelCase, strict, unknown fields refused."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel, populate_by_name=True, frozen=True)


Share = Annotated[float, Field(ge=0, le=1)] | None
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]


class ConfusionBody(Body):
    """A name that a method takes for another."""

    ecosystem: Ecosystem
    name: str
    target: str


class MethodBody(Body):
    """How one kind of confusion is found; `needs` says what must be configured for it."""

    name: str
    title: str
    catches: str
    example: ConfusionBody
    cost: str
    limits: str
    needs: str | None


class MethodsResponse(Body):
    """All methods."""

    methods: list[MethodBody]


class LevelBody(Body):
    """How good the methods are where a name counts as flagged from this verdict on; shares are null of nothing."""

    precision: Share
    recall: Share
    false_positive_rate: Share
    target_first: Share
    true_positives: Count
    false_positives: Count


class GroupBody(Body):
    """The rows of one category or ecosystem under one label, and the shares of them that are flagged."""

    name: str
    label: Literal[0, 1]
    rows: Count
    suspicious: Share
    advisory: Share


class WrongRowBody(Body):
    """A row that was left out."""

    line: Count
    reason: str


class WrongRowsBody(Body):
    """How many rows were left out, and the first of them."""

    count: Count
    first: list[WrongRowBody]


class SpeedBody(Body):
    """How fast names were judged that are on no list."""

    names: Count
    names_per_second: float | None
    p50_microseconds: float | None
    p99_microseconds: float | None


class BenchmarkResultBody(Body):
    """What a benchmark found out."""

    attacks: Count
    honest: Count
    refused: Count
    not_judged: dict[str, Count]
    wrong_rows: WrongRowsBody
    suspicious: LevelBody
    advisory: LevelBody
    categories: list[GroupBody]
    ecosystems: list[GroupBody]
    speed: SpeedBody


class BenchmarkResponse(Body):
    """How far a benchmark is; the result is null until it is done."""

    id: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    rows: Count
    done: Count
    methods: list[str] | None
    result: BenchmarkResultBody | None
