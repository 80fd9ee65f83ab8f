"""Evidence as bytes."""

from datetime import date
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import STEADY
from typosentinel_server.providers.gleaned import Failure, Gleaned
from typosentinel_server.providers.records import Kept, pack, unpack
from typosentinel_server.scan.context.malware import Record

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(str.strip)
RECORDS = st.builds(Record, st.none() | st.frozensets(TEXTS, max_size=3), TEXTS)
EVIDENCE = st.builds(
    Gleaned,
    st.none() | st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    st.none() | st.integers(0, 10**12),
    st.none() | st.integers(0, 10**12),
    st.frozensets(TEXTS, max_size=3),
    st.none() | st.just("https://github.com/example/thing"),
    st.lists(TEXTS, max_size=3).map(tuple),
    st.none() | RECORDS,
)


@STEADY
@given(EVIDENCE, st.floats(0, 2**40))
def test_what_is_packed_is_what_comes_out(evidence: Gleaned, at: float) -> None:
    """Nothing is lost on the way through a cache."""
    assert unpack(pack(evidence, at)) == Kept(evidence, at)


@pytest.mark.parametrize(
    "change",
    [
        {"form": 2},
        {"form": None},
        {"at": "now"},
        {"at": None},
        {"firstRelease": 7},
        {"firstRelease": "yesterday"},
        {"downloads": -1},
        {"downloadsEver": True},
        {"maintainers": "ann"},
        {"vulnerabilities": [7]},
        {"malware": []},
        {"malware": {"versions": "all", "source": ""}},
        {"malware": {"versions": None, "source": 7}},
    ],
)
def test_a_changed_record_is_none(change: dict[str, Any]) -> None:
    """What comes out of a cache is as much a stranger's word as what comes off the wire."""
    content = orjson.loads(pack(Gleaned(downloads=7), 1.0)) | change
    with pytest.raises(Failure):
        unpack(orjson.dumps(content))


@STEADY
@given(st.binary(max_size=100))
def test_any_bytes_are_a_record_or_none(content: bytes) -> None:
    """And nothing worse."""
    with pytest.raises(Failure):
        unpack(content)
