"""Bodies that were right once: bytes changed, cut, doubled, and JSON with other things in it."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

Value = Any
RIGHT: tuple[tuple[str, Value], ...] = (
    ("/api/v1/scan", {"ecosystem": "PyPI", "name": "reqeusts"}),
    ("/api/v1/scan", {"ecosystem": "npm", "name": "@babel/core", "version": "7.0.0"}),
    (
        "/api/v1/scan",
        {
            "ecosystem": "PyPI",
            "name": "flaask",
            "metadata": {
                "firstRelease": "2024-02-29",
                "downloads": 7,
                "maintainers": ["somebody"],
                "repository": "https://github.com/owner/name",
                "target": {"name": "flask", "downloads": 10**9},
            },
        },
    ),
    ("/api/v1/benchmark", {"rows": [{"ecosystem": "PyPI", "name": "reqeusts", "target": "requests", "label": 1}]}),
)
ODD: tuple[Value, ...] = (
    None, True, False, 0, -1, 1.5, 1e308, 2**64, -(2**70), "", " ", "\x00", "a" * 300, "\u202e", "\ud800", "İ", "ß",
    "ﬁ", "PyPI", "pypi", "🐍", [], {}, [[]], [None], {"a": {"b": {}}}, "2024-02-30", "../..", "{{7*7}}", "'; --", "NaN",
)  # fmt: skip


def bodies(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """So many bodies with the paths that they are for; the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - the same bodies again are what is wanted
    for _ in range(count):
        path, right = chance.choice(RIGHT)
        if chance.random() < 0.5:  # noqa: PLR2004 - half of each kind
            yield path, json.dumps(_exchanged(right, chance)).encode()
        else:
            content = json.dumps(right, ensure_ascii=chance.random() < 0.5).encode()  # noqa: PLR2004 - the same
            for _ in range(chance.randint(1, 4)):
                content = chance.choice(BYTEWISE)(content, chance)
            yield path, content


def _exchanged(value: Value, chance: random.Random) -> Value:
    # One place of the whole is another thing now, gone, or there under another name.
    if isinstance(value, dict) and value:
        key = chance.choice(list(value))
        kind = chance.randrange(5)
        rest = {name: inner for name, inner in value.items() if name != key}
        if kind == 0:
            return rest
        if kind == 1:
            return {**rest, chance.choice((key.upper(), key + "s", "", "\ud800", "__proto__")): value[key]}
        return {**value, key: _exchanged(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.7:  # noqa: PLR2004 - mostly what is in it
        place = chance.randrange(len(value))
        return [*value[:place], _exchanged(value[place], chance), *value[place:]]
    return chance.choice(ODD)


def _flip(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(max(1, len(content)))
    return content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :]


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def _doubled(content: bytes, chance: random.Random) -> bytes:
    first, last = sorted((chance.randrange(len(content) + 1), chance.randrange(len(content) + 1)))
    return content[:last] + content[first:last] * chance.randint(1, 20) + content[last:]


def _inserted(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content) + 1)
    odd = (b"\xef\xbb\xbf", b"\xff", b"\\ud800", b"\\u0000", b"[" * 50, b"1" * 60, b"//", b",", b'"', b"\x00", b"1e999")
    return content[:place] + chance.choice(odd) + content[place:]


BYTEWISE: tuple[Callable[[bytes, random.Random], bytes], ...] = (_flip, _cut, _doubled, _inserted)
