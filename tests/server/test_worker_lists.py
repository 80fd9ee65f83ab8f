import os
from pathlib import Path

import orjson
import pytest

from running import Start
from typosentinel_server.engines import Engines, Library, build_engines
from typosentinel_server.errors import InvalidRequest
from typosentinel_server.scan.model import Ecosystem, Package, ScanResult
from typosentinel_server.shelf import Shelf
from typosentinel_server.verdictjson import Rendered
from typosentinel_server.workers.frames import LENGTH, content_of, frame, packed, unpacked
from typosentinel_server.workers.lists import LazyEngines, shared
from typosentinel_server.workers.slices import Asked, Judged, Refused, Written, judge, written

ASKED: list[Asked] = [
    (Ecosystem.NPM, "lodahs", None, 7),
    (Ecosystem.PYPI, "reqeusts", "1.0", 8),
    (Ecosystem.PYPI, "a b", None, 9),
    (Ecosystem.NPM, "lodash", None, 12),
    (Ecosystem.PYPI, "beautifulsoup-4", None, 13),
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
        found = judge(others.engine, ASKED)
        numbers = {file.index for file in files} | {file.lexicon for file in files}
    for (ecosystem, name, *_), result in zip(ASKED, found, strict=True):
        if isinstance(result, ScanResult):
            assert result == engines.scan(Package(ecosystem, name))
        else:
            assert (name, result.code) == ("a b", "NAME_HAS_INVISIBLE_CHARACTER")
    assert judge(others.engine, ASKED) == found
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
    """Lines, refusals, and results to conclude from."""
    results = judge(engines.engine, ASKED)
    answers = written(engines.engine, ASKED, "batch")
    assert unpacked(content_of(frame(packed(answers))[LENGTH.size :])) == answers
    assert unpacked(content_of(frame(packed(results))[LENGTH.size :])) == results
    assert [type(one) for one in answers] == [Written, Written, Refused, Written, Written]


def test_a_line_says_what_the_judgement_says(engines: Engines) -> None:
    """Of the item that asked first, and of another that spells the name another way."""
    results = judge(engines.engine, ASKED)
    lines = written(engines.engine, ASKED, "batch")
    for (_, name, version, index), result, line in zip(ASKED, results, lines, strict=True):
        if isinstance(line, Refused) or isinstance(result, Refused):
            assert line == result
            continue
        seconds = orjson.loads(line.first)["result"]["durationMs"] / 1000
        judged = Judged(result.verdict.value, Rendered.of(result))
        assert line.verdict == judged.verdict
        assert line.first == judged.line("batch", index, name, version, cached=False, seconds=seconds)
        other = judged.line("batch", 99, name.upper(), "2.0", cached=True, seconds=0.0)
        assert line.again("batch", 99, name.upper(), "2.0") == other


@pytest.mark.parametrize(("least", "most"), [(-1, 2), (3, 2), (0, 65)])
async def test_a_range_that_is_none_is_refused(start: Start, least: int, most: int) -> None:
    """Nothing of it takes effect."""
    server = await start()
    pool = server.parts.batches.pool
    before = pool.status()
    with pytest.raises(InvalidRequest, match="is no range"):
        pool.scale(least, most)
    assert pool.status() == before
