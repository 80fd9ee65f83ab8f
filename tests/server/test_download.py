"""Fetching files from servers that are slow, lie, break off, or lead elsewhere."""

import pytest

from origin import Answer, Origin, http, says, stalls
from typosentinel_server.bundles.errors import TOO_LARGE, UNREACHABLE
from typosentinel_server.download import Limits, checksum_of, fetch
from typosentinel_server.errors import CorpusUnreadable

LIMITS = Limits(1000, seconds=2.0, silence=0.2)


async def test_file_comes_with_its_tag_and_only_when_it_is_another(origin: Origin) -> None:
    """The tag saves the second download; no packing is offered, no cookie or credential sent."""
    origin.publish("/a", b"content", '"one"')
    found = await fetch(origin.url("/a"), LIMITS)

    assert found is not None
    assert (found.content, found.etag) == (b"content", '"one"')
    assert await fetch(origin.url("/a"), LIMITS, found.etag) is None
    assert origin.asked[0][1]["accept-encoding"] == "identity"
    assert not {"cookie", "authorization"} & origin.asked[0][1].keys()


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (says(http("200 OK", b"x" * 1001)), TOO_LARGE, "larger than 1000 bytes"),
        (says(http("200 OK", b"x", Content_Length="999999999999")), TOO_LARGE, "larger than 1000 bytes"),
        (stalls(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001), TOO_LARGE, "larger than 1000 bytes"),
        (says(http("200 OK", b"half", Content_Length="8")), UNREACHABLE, "payload is not"),
        (says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"), UNREACHABLE, "payload is not"),
        (stalls(http("200 OK", b"half", Content_Length="8")), UNREACHABLE, "no complete answer within"),
        (stalls(), UNREACHABLE, "no complete answer within"),
        (says(), UNREACHABLE, "disconnected"),
        (says(b"\x00\xff\r\n\r\n"), UNREACHABLE, "127.0.0.1"),
        (says(http("200 OK", b"x", Content_Length="-5")), UNREACHABLE, "127.0.0.1"),
        (says(http("200 OK", b"x" * 99, Content_Encoding="gzip")), UNREACHABLE, "sends the file packed"),
        (says(http("500 Oh")), UNREACHABLE, "answers 500"),
        (says(http("304 Not Modified")), UNREACHABLE, "answers 304"),
        (says(http("206 Partial Content", b"x")), UNREACHABLE, "answers 206"),
        (says(http("302 Found", Location="/a")), UNREACHABLE, "redirects more than 3 times"),
        (says(http("302 Found")), UNREACHABLE, "redirects to another place"),
        (says(http("302 Found", Location="http://localhost/a")), UNREACHABLE, "redirects to another place"),
        (says(http("302 Found", Location="http://127.0.0.1:1/a")), UNREACHABLE, "redirects to another place"),
        (says(http("302 Found", Location="//127.0.0.2/a")), UNREACHABLE, "redirects to another place"),
        (says(http("302 Found", Location="file:///etc/passwd")), UNREACHABLE, "redirects to another place"),
        (says(http("302 Found", Location="http://[/")), UNREACHABLE, "127.0.0.1"),
    ],
    ids=range(21),
)  # fmt: skip
async def test_what_a_server_does_wrong_is_a_refusal_with_its_words(
    origin: Origin, answer: Answer, code: str, said: str
) -> None:
    """Whatever comes, an error of ours with the address in it, in bounded time and memory."""
    origin.answers["/a"] = answer
    with pytest.raises(CorpusUnreadable, match=said) as refused:
        await fetch(origin.url("/a"), LIMITS)

    assert refused.value.code == code
    assert "http://127.0.0.1" in refused.value.message


async def test_redirect_within_the_place_is_followed(origin: Origin) -> None:
    """A server may move a file."""
    origin.publish("/b", b"content")
    origin.answers["/a"] = says(http("301 Moved Permanently", Location="b"))
    found = await fetch(origin.url("/a"), LIMITS)

    assert found is not None
    assert found.content == b"content"


async def test_trickle_ends_with_the_time_for_all_of_it(origin: Origin) -> None:
    """A byte now and then keeps no download alive beyond its limit."""
    origin.answers["/a"] = stalls(http("200 OK", b"half", Content_Length="8"))
    with pytest.raises(CorpusUnreadable, match=r"within 0\.1 s"):
        await fetch(origin.url("/a"), Limits(1000, seconds=0.1, silence=5.0))


async def test_nobody_there_is_a_refusal() -> None:
    """The system's words stand in the message."""
    with pytest.raises(CorpusUnreadable, match="Cannot connect"):
        await fetch("http://127.0.0.1:1/a", LIMITS)


async def test_checksum_stands_beside_the_file(origin: Origin) -> None:
    """Before the question mark, and as sha256sum writes it."""
    origin.answers["/a.tar.sha256?b=c"] = says(http("200 OK", b"A" * 64 + b"  a.tar\n"))

    assert await checksum_of(origin.url("/a.tar?b=c"), LIMITS) == "a" * 64


@pytest.mark.parametrize("body", [b"", b"a" * 63, b"a" * 65, b"<html>", b"a" * 64 + b"b" * 2000])
async def test_what_is_no_checksum_is_refused(origin: Origin, body: bytes) -> None:
    """A page of errors is not a hash, and nothing is taken on trust."""
    origin.answers["/a.sha256"] = says(http("200 OK", body))
    with pytest.raises(CorpusUnreadable, match=r"a\.sha256"):
        await checksum_of(origin.url("/a"), LIMITS)
