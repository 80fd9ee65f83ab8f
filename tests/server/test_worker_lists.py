import os
import pickle
from pathlib import Path

import pytest

from running import Start
from typosentinel_server.engines import Engines, Library, build_engines
from typosentinel_server.errors import InvalidRequest
from typosentinel_server.scan.model import Ecosystem, Package, ScanResult
from typosentinel_server.shelf import Shelf
from typosentinel_server.workers.frames import packed, unpacked
from typosentinel_server.workers.lists import LazyEngines, shared
from typosentinel_server.workers.slices import Judged, Refused, judge, rendered

NAMES = [
    (Ecosystem.NPM, "lodahs"),
    (Ecosystem.PYPI, "reqeusts"),
    (Ecosystem.PYPI, "a b"),
    (Ecosystem.NPM, "lodash"),
    (Ecosystem.PYPI, "beautifulsoup-4"),
]


@pytest.fixture(params=["on a shelf", "in memory"])
def engines(request: pytest.FixtureRequest, lists: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engines:
    """Engines over small lists, from files and without."""
    monkeypatch.setattr(Library, "shelf", Shelf(tmp_path if request.param == "on a shelf" else None))
    build_engines(Library(lists))
    return build_engines(Library(lists))


def test_engines_from_open_files_judge_alike(engines: Engines) -> None:
    """In the order asked, whatever the ecosystems; the files can be closed once a list is read."""
    with shared(engines) as files:
        others = LazyEngines(files)
        found = judge(others.engine, NAMES)
        numbers = {file.index for file in files} | {file.lexicon for file in files}
    for (ecosystem, name), result in zip(NAMES, found, strict=True):
        if isinstance(result, ScanResult):
            assert result == engines.scan(Package(ecosystem, name))
        else:
            assert (name, result.code) == ("a b", "NAME_HAS_INVISIBLE_CHARACTER")
    assert judge(others.engine, NAMES) == found
    for number in numbers:
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(number)


def test_lists_are_shared_not_copied(engines: Engines) -> None:
    """One lexicon for all of them, and of a list on the shelf the very file."""
    with shared(engines) as files:
        assert len(files) == 2
        assert len({file.lexicon for file in files}) == 1
        assert len({os.fstat(file.index).st_ino for file in files}) == 2


def test_answers_come_over_as_they_are(engines: Engines) -> None:
    """Finished ones, refusals, and results to conclude from."""
    results = judge(engines.engine, NAMES)
    answers = [rendered(one) for one in results]
    assert unpacked(pickle.loads(pickle.dumps(packed(answers)))) == answers  # noqa: S301 - our own
    assert unpacked(pickle.loads(pickle.dumps(packed(results)))) == results  # noqa: S301 - our own
    assert [type(one) for one in answers] == [Judged, Judged, Refused, Judged, Judged]


@pytest.mark.parametrize(("least", "most"), [(-1, 2), (3, 2), (0, 65)])
async def test_a_range_that_is_none_is_refused(start: Start, least: int, most: int) -> None:
    """Nothing of it takes effect."""
    server = await start()
    pool = server.parts.batches.pool
    before = pool.status()
    with pytest.raises(InvalidRequest, match="is no range"):
        pool.scale(least, most)
    assert pool.status() == before
