"""Small lists, real servers, and both kinds of clock."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import ClientSession

import listfiles
from administering import QUICK, TOKEN, Admin, Open
from commanding import Run
from origin import Origin, opened
from running import Running, Start, StillClock, listening
from typosentinel_server.administration.app import Administration, administered
from typosentinel_server.adminports.ports import Ports
from typosentinel_server.app import Setup, make_app
from typosentinel_server.clock import Clock
from typosentinel_server.engines import Library
from typosentinel_server.lifecycle import Timing
from typosentinel_server.logs import Log
from typosentinel_server.settings import LogLevel
from typosentinel_server.shelf import Shelf

LISTS = {
    "pypi": ("urllib3", "requests", "numpy", "python-dateutil", "beautifulsoup4", "flask", "six", "setuptools"),
    "npm": ("lodash", "react", "cross-env", "@babel/core", "moment", "next", "redis", "JSONStream"),
}


@pytest.fixture(autouse=True, scope="session")
def cache_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Compiled lists of this run, away from the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("cache")
        patch.setenv("XDG_CACHE_HOME", str(place))
        patch.setattr(Library, "shelf", Shelf(place / "typosentinel" / "lists"))
        yield place


@pytest.fixture
def still() -> StillClock:
    """A clock that stands until a test moves it."""
    return StillClock()


@pytest.fixture
def real_clock() -> Clock:
    """The clocks that the program itself uses."""
    return Clock(wall=time.time, monotonic=time.monotonic)


@pytest.fixture(scope="session")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of small lists."""
    folder = tmp_path_factory.mktemp("lists")
    for stem, names in LISTS.items():
        rows = "".join(f"{n},{name},protected\n" for n, name in enumerate(names, start=1))
        folder.joinpath(f"{stem}.csv").write_text(f"rank,name,tier\n{rows}", encoding="utf-8")
    return folder


@pytest.fixture
async def start(lists: Path, real_clock: Clock) -> AsyncIterator[Start]:
    """Starts servers on free ports; they stop with the test."""
    async with AsyncExitStack() as stack:

        async def _start(
            config: Path | None = None, timing: Timing | None = None, *, corpus: Path | None = lists
        ) -> Running:
            timing = timing or Timing(drain=0.1, reload=0.02, corpus=0.02)
            setup = Setup(name="pod-1", library=Library(corpus) if corpus else None, config=config, timing=timing)
            app = make_app(setup, real_clock, Log("json", LogLevel.ERROR))
            return await stack.enter_async_context(listening(app))

        yield _start


@pytest.fixture
async def origin(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Origin]:
    """A server of files that does as it is told, with no proxy on the way to it."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with opened() as found:
        yield found


@pytest.fixture
def run(lists: Path, real_clock: Clock) -> Run:
    """Runs the program in this process, on the small lists."""
    return Run(lists, real_clock)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with one list of each kind that says more than a name, and a document that names them."""
    return listfiles.written(tmp_path)


@pytest.fixture
async def open_admin(start: Start, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens administrative ports; they close with the test."""
    async with AsyncExitStack() as stack:

        async def _open(config: Path | None = None, ports: Ports | None = None) -> Admin:
            server = await start(config)
            if ports is not None:
                server = replace(server, parts=replace(server.parts, ports=ports))
            path = tmp_path / "token"
            path.write_text(f"{TOKEN}\n", encoding="ascii")
            given = Administration(path, port=0, look=QUICK, delay=0.0)
            runner = await stack.enter_async_context(administered(server.parts, given))
            assert runner is not None
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            http = await stack.enter_async_context(ClientSession(url, headers={"Authorization": f"Bearer {TOKEN}"}))
            return Admin(server, http, url, path)

        yield _open
