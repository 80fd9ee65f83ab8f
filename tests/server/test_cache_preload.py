"""Verdicts before anybody asks."""

import asyncio
from pathlib import Path

from running import Start, StillClock, ask, samples
from typosentinel_server.cache.preload import AT_A_TIME, preload, wanted
from typosentinel_server.errors import DomainError
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.sections.cache import PreloadSettings

HEAD = "apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\n"


class Listing:
    """A short list."""

    def __init__(self, ecosystem: Ecosystem, *names: str) -> None:
        self.ecosystem = ecosystem
        self.names = list(names)


def test_named_ones_first_then_the_most_popular_in_turns() -> None:
    """So that every list has its share where time runs out."""
    settings = PreloadSettings.model_validate({"popular": 2, "names": [{"ecosystem": "pypi", "name": "mine"}]})
    lists = [Listing(Ecosystem.PYPI, "a", "b", "c"), Listing(Ecosystem.NPM, "x")]

    assert list(wanted(settings, lists)) == [("PyPI", "mine"), ("PyPI", "a"), ("npm", "x"), ("PyPI", "b")]


async def test_it_ends_when_its_time_is_over(still: StillClock) -> None:
    """Whatever is left."""

    def judge(_ecosystem: str, _name: str) -> None:
        still.seconds += 0.1

    found = await preload([("PyPI", "a")] * 1000, judge, still.clock.monotonic, seconds=1.0)
    assert not found.complete
    assert found.judged == AT_A_TIME


async def test_names_that_cannot_be_judged_are_passed_over(still: StillClock) -> None:
    """And counted."""

    def judge(_ecosystem: str, name: str) -> None:
        if name == "bad":
            raise DomainError("X", "x", "x")

    found = await preload([("PyPI", "a"), ("PyPI", "bad"), ("PyPI", "b")], judge, still.clock.monotonic)
    assert (found.judged, found.refused, found.complete) == (2, 1, True)


async def test_a_server_has_them_before_it_answers_anybody(start: Start, tmp_path: Path) -> None:
    """The first question is answered from memory, and preloading is not counted as scanning."""
    config = tmp_path / "config.yaml"
    config.write_text(HEAD + "cache: {preload: {popular: 3, names: [{ecosystem: PyPI, name: reqeusts}]}}\n")
    server = await start(config)
    found = await samples(server)

    assert found["typosentinel_cache_entries", frozenset({("tier", "memory")})] == 7
    assert not [name for name, _ in found if name == "typosentinel_scans_total"]
    assert (await ask(server, ecosystem="PyPI", name="reqeusts"))["cached"]
    assert (await ask(server, ecosystem="npm", name="lodash"))["cached"]


async def test_other_lists_make_it_preload_again(start: Start, tmp_path: Path) -> None:
    """Verdicts of another list are worth nothing."""
    config = tmp_path / "config.yaml"
    config.write_text(HEAD + "cache: {preload: {popular: 1}}\n")
    server = await start(config)
    verdicts = server.parts.caches.verdicts
    verdicts.clear()
    server.parts.preloader.outdated()
    for _ in range(1000):
        if len(verdicts) == 2:
            break
        await asyncio.sleep(0.001)

    assert {key[1] for key in verdicts._entries} == {"urllib3", "lodash"}
