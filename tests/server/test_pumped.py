"""No text of a stranger's makes the server work for long: patterns and bodies, pumped up to what is let in."""

import asyncio
import dataclasses
import gzip
import importlib
import json
import pkgutil
import re
import time
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

import typosentinel_server
from running import Start
from typosentinel_server.middleware import MAX_BODY_BYTES
from typosentinel_server.scan.naming import RULES

# Processor time, not the clock's: five times the lag that is promised. What is quadratic takes minutes.
SECONDS = 0.5
UNITS = ("a", "A", "1", "-", ".", "/", ":", "@", " ", "é", "a1", "a.", "a-", "1.", "://", "v")
BEFORE = ("", "a", "aaa", "https://")
BEHIND = ("", "!", "a1")
LONGEST_NAME = max(rule.max_length for rule in RULES.values())
# These see names that a registry's rule has let through, and one address that has a bound of its own.
BOUNDED = {
    "typosentinel_server.scan.forms._RELEASE": LONGEST_NAME,
    "typosentinel_server.scan.forms._DIGITS_AT_END": LONGEST_NAME,
    "typosentinel_server.scan.context.metadata.REPOSITORY": 500,
    "typosentinel_server.scan.context.metadata.SHORTHAND": 500,
}


def held(thing: Any, depth: int = 4) -> Iterator[re.Pattern[str]]:
    """The patterns in a value of a module."""
    if isinstance(thing, re.Pattern):
        if isinstance(thing.pattern, str):
            yield thing
    elif depth and isinstance(thing, dict):
        yield from (found for value in thing.values() for found in held(value, depth - 1))
    elif depth and isinstance(thing, list | tuple | frozenset) and len(thing) < 1000:
        yield from (found for value in thing for found in held(value, depth - 1))
    elif depth and dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        values = (getattr(thing, one.name, None) for one in dataclasses.fields(thing))
        yield from (found for value in values for found in held(value, depth - 1))


def patterns() -> dict[re.Pattern[str], str]:
    """All patterns of the package, each under the first name that it was found by."""
    found: dict[re.Pattern[str], str] = {}
    for module in pkgutil.walk_packages(typosentinel_server.__path__, "typosentinel_server."):
        if not module.name.endswith("__main__"):
            for name, thing in sorted(vars(importlib.import_module(module.name)).items()):
                for pattern in held(thing):
                    found.setdefault(pattern, f"{module.name}.{name}")
    return found


PATTERNS = patterns()


def test_patterns_are_found() -> None:
    """Those that are known to see strangers' texts, and those that are told to have a bound."""
    names = set(PATTERNS.values())

    assert len(PATTERNS) > 15
    assert BOUNDED.keys() <= names
    assert {rule.pattern for rule in RULES.values()} <= PATTERNS.keys()


@pytest.mark.parametrize("pattern", PATTERNS, ids=[f"{n} {name}" for n, name in enumerate(PATTERNS.values())])
def test_pattern_is_done_in_time(pattern: re.Pattern[str]) -> None:
    """Whatever repeats, up to the size of a body or of what its rule lets through."""
    size = BOUNDED.get(PATTERNS[pattern], MAX_BODY_BYTES)
    for before, unit, behind in product(BEFORE, UNITS, BEHIND):
        text = before + unit * (size // len(unit)) + behind
        start = time.process_time()
        pattern.match(text)
        pattern.fullmatch(text)

        assert time.process_time() - start < SECONDS, (before, unit, behind)


def scans() -> Iterator[bytes]:
    """Bodies of a scan at the limit of what is read."""
    room = MAX_BODY_BYTES - 200
    for unit in ("a", "-", "1", "a-", "\u0430", "\u0301", "\\u0061", "/", "@"):
        name = unit * (room // len(unit.encode()))
        yield b'{"ecosystem":"npm","name":"%s"}' % name.encode()
    for ecosystem, rule in RULES.items():
        for before, unit in product(("aaa", "a:b"), ("a", "1", "a-", "1.", "ab1", "req", "-x")):
            name = (before + unit * rule.max_length)[: rule.max_length - 1] + "1"
            yield json.dumps({"ecosystem": ecosystem, "name": name}).encode()
    yield b"[" * room
    yield b'{"a":' * (room // 5)
    yield b'{"ecosystem":"npm","name":%s}' % (b"9" * room)
    yield b"{" + b",".join(b'"k%d":0' % n for n in range(room // 12)) + b"}"
    yield b'{"name":"a","metadata":{"maintainers":[%s]}}' % b",".join(b'"a%d"' % n for n in range(room // 12))
    for unit in ("a-", "a.", "a/", "a@", "1"):
        repository = "https://" + unit * (480 // len(unit))
        yield json.dumps({"ecosystem": "npm", "name": "a", "metadata": {"repository": repository}}).encode()
    yield b" " * room
    yield b"\xff" * room


async def test_body_does_not_hold_others_up(start: Start) -> None:
    """The loop turns while bodies are judged that are as long, deep or odd as they can be."""
    server = await start()
    longest = 0.0

    async def turn() -> None:
        nonlocal longest
        while True:
            before = time.process_time()
            await asyncio.sleep(0)
            longest = max(longest, time.process_time() - before)

    turning = asyncio.create_task(turn())
    seen = set()
    for body in scans():
        for encoding, content in (("identity", body), ("gzip", gzip.compress(body, 1))):
            headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
            async with server.http.post("/api/v1/scan", data=content, headers=headers) as response:
                seen.add(response.status)
    turning.cancel()

    assert seen == {200, 400, 422}
    assert longest < SECONDS
