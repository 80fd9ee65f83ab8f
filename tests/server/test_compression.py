"""Which answers are compressed, and how."""

import gzip
import sys

import pytest
from aiohttp import ClientSession

from running import Start
from typosentinel_server.compression import Coding, chosen, compressed

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("", None),
        ("identity", None),
        ("br", None),
        ("gzip", Coding.GZIP),
        ("gzip, deflate, br, zstd", Coding.ZSTD),
        ("zstd;q=0, gzip;q=0.5", Coding.GZIP),
        ("gzip;q=0.000", None),
        ("*", Coding.ZSTD),
        ("*, zstd;q=0.0", Coding.GZIP),
        ("GZIP", Coding.GZIP),
        ("gzip;q=1;q=0", Coding.GZIP),
        (",;,", None),
    ],
)
def test_the_better_of_what_is_accepted(accept: str, coding: Coding | None) -> None:
    """A weight of nought refuses; a star stands for all that is not named."""
    assert chosen(accept) is coding


def test_both_codings_lose_nothing() -> None:
    """And save something."""
    body = b"name" * 1000
    assert zstd.decompress(compressed(body, Coding.ZSTD)) == gzip.decompress(compressed(body, Coding.GZIP)) == body
    assert len(compressed(body, Coding.ZSTD)) < 100


@pytest.mark.parametrize("accept", ["zstd", "gzip", "identity"])
async def test_large_answers_come_as_asked_for(start: Start, accept: str) -> None:
    """Length and content are of what was sent; caches are told what it depends on."""
    server = await start()
    asked = {"Accept-Encoding": accept}
    methods = f"{server.url}/api/v1/methods"
    async with ClientSession(auto_decompress=False) as http, http.get(methods, headers=asked) as response:
        body = await response.read()
    assert response.headers["Vary"] == "Accept-Encoding"
    assert int(response.headers["Content-Length"]) == len(body)
    assert response.headers.get("Content-Encoding", "identity") == accept
    if accept != "identity":
        body = zstd.decompress(body) if accept == "zstd" else gzip.decompress(body)
    assert body.startswith(b'{"methods"')


async def test_small_answers_come_as_they_are(start: Start) -> None:
    """They fit into a packet either way."""
    server = await start()
    asked = {"Accept-Encoding": "gzip"}
    async with ClientSession(auto_decompress=False) as http, http.get(f"{server.url}/live", headers=asked) as response:
        assert await response.read() == b'{"status":"live"}'
