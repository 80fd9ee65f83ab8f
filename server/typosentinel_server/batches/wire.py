"""What a batch looks like on the wire: questions from strangers, one answer for each, a summary at the end."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from typosentinel_server.errors import DomainError, InvalidRequest
from typosentinel_server.schemas import ScanResponse
from typosentinel_server.sections.workers import MOST_ITEMS
from typosentinel_server.wirejson import parse_body
from typosentinel_server.workers.slices import SLICE_NAMES, Refused

EXAMPLE = '{"items": [{"ecosystem": "PyPI", "name": "reqeusts"}]}'
LINE_EXAMPLE = '{"ecosystem": "PyPI", "name": "reqeusts"}'
MAX_LINE_BYTES = 64 * 1024
ECOSYSTEM_LENGTH, VERSION_LENGTH = 100, 256


class Mode(StrEnum):
    """How many slices of a batch are judged at once: as many as there is room for, or one."""

    PARALLEL = "parallel"
    SEQUENTIAL = "sequential"


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel, populate_by_name=True, frozen=True)


class BatchItem(_Wire):
    """A question about one package."""

    ecosystem: Annotated[str, Field(max_length=ECOSYSTEM_LENGTH)]
    name: str
    version: Annotated[str, Field(max_length=VERSION_LENGTH)] | None = None


class BatchRequest(_Wire):
    """Questions about many packages. An item of another shape is an error of its own, not of the batch."""

    items: Annotated[list[BatchItem], Field(min_length=1, max_length=MOST_ITEMS)]
    mode: Annotated[Mode, Field(strict=False)] = Mode.PARALLEL


class BatchErrorBody(_Wire):
    """Why an item has no judgement, or why a batch is not complete."""

    code: str
    message: str
    suggestion: str


class BatchSummary(_Wire):
    """What became of a batch; `cached` and `duplicates` are among `judged`."""

    id: str
    complete: bool
    items: int
    judged: int
    errors: int
    cached: int
    duplicates: int
    verdicts: dict[str, int]
    corpus_versions: dict[str, str]
    duration_ms: float
    error: BatchErrorBody | None = None


class BatchAnswer(_Wire):
    """What became of one item: a result or an error; in NDJSON a line of its own."""

    index: int
    result: ScanResponse | None = Field(default=None, exclude_if=lambda held: held is None)
    error: BatchErrorBody | None = Field(default=None, exclude_if=lambda held: held is None)


class BatchResponse(_Wire):
    """Answers in the order of the items, and what became of all; in NDJSON the summary is the last line."""

    items: list[BatchAnswer]
    summary: BatchSummary


class _Envelope(_Wire):
    # Items are looked at one by one.
    items: list[Any]
    mode: Annotated[Mode, Field(strict=False)] = Mode.PARALLEL


@dataclass(slots=True)
class Question:
    """One item of the right shape."""

    ecosystem: str
    name: str
    version: str | None


Item = Question | Refused


def parse_batch(content: bytes) -> tuple[list[Any], Mode]:
    """The items of a JSON body, not looked at yet, and the mode.

    Raises:
        InvalidRequest: 400 for what is no JSON, 422 for JSON of another shape, 413 for too many items.
    """
    found = _plain(content)
    if found is not None and found.keys() == {"items"} and type(found["items"]) is list:
        items, mode = found["items"], Mode.PARALLEL
    else:
        envelope = parse_body(_Envelope, content, EXAMPLE)
        items, mode = envelope.items, envelope.mode
    if not items:
        raise InvalidRequest("BATCH_EMPTY", "the batch has no items", f"Send JSON such as {EXAMPLE}", http_hint=422)
    if len(items) > MOST_ITEMS:
        raise too_many()
    return items, mode


def sliced(items: Sequence[Any]) -> Iterator[list[Item]]:
    """Items looked at, some at a time."""
    for start in range(0, len(items), SLICE_NAMES):
        yield [_item(found) for found in items[start : start + SLICE_NAMES]]


def parse_lines(lines: Iterable[bytes]) -> list[Item]:
    """A question a line."""
    return [_line(line) for line in lines]


def too_many() -> InvalidRequest:
    """The refusal of a batch with too many items."""
    return InvalidRequest(
        "TOO_MANY_ITEMS",
        f"the batch has more than {MOST_ITEMS} items",
        f"Send at most {MOST_ITEMS} in one batch, and the others in the next.",
        http_hint=413,
    )


def error_body(error: DomainError | Refused) -> dict[str, str]:
    """What an error says, as the wire has it."""
    return {"code": error.code, "message": error.message, "suggestion": error.suggestion}


def _item(found: Any) -> Item:
    if type(found) is dict:
        ecosystem, name, version = found.get("ecosystem"), found.get("name"), found.get("version")
        if (
            type(ecosystem) is str
            and type(name) is str
            and len(ecosystem) <= ECOSYSTEM_LENGTH
            and (version is None or (type(version) is str and len(version) <= VERSION_LENGTH))
            and len(found) == 2 + ("version" in found)
            and (name.isascii() or _is_text(name))
            and (ecosystem.isascii() or _is_text(ecosystem))
            and (version is None or version.isascii() or _is_text(version))
        ):
            return Question(ecosystem, name, version)
    try:
        return _read(json.dumps(found).encode())
    except RecursionError:
        return Refused("INVALID_REQUEST", "the item is nested too deep", f"Send JSON such as {LINE_EXAMPLE}")


def _is_text(text: str) -> bool:
    # JSON can spell one half of a character alone, which is no text.
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _line(line: bytes) -> Item:
    if len(line) > MAX_LINE_BYTES:
        return Refused("LINE_TOO_LONG", f"the line has more than {MAX_LINE_BYTES} bytes", "Send one question a line.")
    found = _plain(line)
    return _read(line) if found is None else _item(found)


def _read(content: bytes) -> Item:
    # Whatever is wrong, this says it in the words of the single scan.
    try:
        read = parse_body(BatchItem, content, LINE_EXAMPLE)
    except InvalidRequest as error:
        return Refused.of(error)
    return Question(read.ecosystem, read.name, read.version)


def _plain(content: bytes) -> dict[str, Any] | None:
    """The object that the bytes spell; None where it takes a slower look to say.

    The fast reader takes an object in which a key stands twice. Each key comes with a colon: where there are as many
    colons as keys that were found and colons in their values, none was lost.
    """
    if b"\\u" in content:
        return None
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    if type(found) is not dict:
        return None
    colons = content.count(b":")
    try:
        return found if colons == _keys(found) or colons == _colons(found) else None
    except RecursionError:
        return None


def _keys(found: dict[str, Any]) -> int:
    # Of a batch, without those of what should be no objects; whatever holds more is counted with care.
    return len(found) + sum(
        sum(map(len, held if set(map(type, held)) == {dict} else [one for one in held if type(one) is dict]))
        for held in found.values()
        if type(held) is list
    )


def _colons(found: object) -> int:
    if isinstance(found, str):
        return found.count(":")
    if isinstance(found, dict):
        return len(found) + sum(_colons(key) + _colons(held) for key, held in found.items())
    return sum(_colons(one) for one in found) if isinstance(found, list) else 0
