"""How slow is too slow, and which heads are odd: decided without a socket."""

from dataclasses import dataclass, field

import pytest
from multidict import CIMultiDict

from typosentinel_server.edge import objections
from typosentinel_server.edge.pace import SPARE_SECONDS, End, Pace, Phase
from typosentinel_server.sections.server import ServerSettings

BOUNDS = ServerSettings()


@dataclass
class Watched:
    """A connection that is looked at once a second from second 0 on."""

    pace: Pace = field(default_factory=lambda: Pace(0.0, spare=False))
    now: float = 0.0

    def ends(
        self, seconds: int, phase: Phase, *, rate: float = 0.0, requests: int = 0, held: bool = False
    ) -> End | None:
        """Why it is ended within so many seconds of this phase, with so many bytes a second; None: it is not."""
        for second in range(seconds):
            self.now += 1
            end = self.pace.head_or_body(self.now, phase, requests, int(rate * second), held=held, bounds=BOUNDS)
            if end is not None:
                return end
        return None


def test_first_head_has_its_time_from_the_connection_on() -> None:
    """Also where nothing comes at all."""
    watched = Watched()

    assert watched.ends(10, Phase.HEAD) is None
    assert watched.ends(2, Phase.HEAD) is End.HEAD


def test_spare_place_is_given_back_sooner() -> None:
    """Others wait for it."""
    watched = Watched(Pace(0.0, spare=True))

    assert watched.ends(int(SPARE_SECONDS) + 1, Phase.HEAD) is End.HEAD


def test_later_head_has_its_time_from_its_first_byte_on() -> None:
    """What the connection did before is not its fault."""
    watched = Watched()
    assert watched.ends(60, Phase.IDLE, requests=1) is None

    assert watched.ends(11, Phase.HEAD, requests=1) is None
    assert watched.ends(1, Phase.HEAD, requests=1) is End.HEAD


def test_idle_connection_is_kept_longer_than_a_proxy_keeps_it() -> None:
    """Sixty seconds are usual: the one who closes first should be the one who sends."""
    watched = Watched()

    assert watched.ends(70, Phase.IDLE, requests=1) is None
    assert watched.ends(10, Phase.IDLE, requests=1) is End.IDLE


def test_each_request_starts_anew() -> None:
    """A connection that is always at work when it is looked at is not one long request."""
    watched = Watched()

    for number in range(1, 40):
        assert watched.ends(5, Phase.BODY, requests=number) is None


@pytest.mark.parametrize(
    ("rate", "after"),
    [(0.1, 30), (512, 60), (100_000, 300)],
)
def test_body_earns_time_by_coming(rate: float, after: int) -> None:
    """A second for each bodyMinRate bytes on top of thirty, and five minutes at most."""
    watched = Watched()

    assert watched.ends(after - 1, Phase.BODY, rate=rate, requests=1) is None
    assert watched.ends(10, Phase.BODY, rate=0, requests=1) is End.BODY


def test_who_is_not_read_is_not_slow() -> None:
    """Neither is who waits for his answer."""
    assert Watched().ends(1000, Phase.BODY, requests=1, held=True) is None
    assert Watched().ends(1000, Phase.BUSY, requests=1) is None


def test_reader_has_to_take_something_now_and_then() -> None:
    """Half a minute without a step; a step starts it anew, and nothing to take ends it."""
    pace = Pace(0.0, spare=False)

    assert [pace.reader(now, 1, 0, BOUNDS) for now in (0.0, 15.0, 30.0)] == [None] * 3
    assert pace.reader(31.0, 1, 1, BOUNDS) is None
    assert pace.reader(60.0, 1, 1, BOUNDS) is None
    assert pace.reader(62.0, 1, 1, BOUNDS) is End.WRITE
    assert pace.reader(63.0, 0, 1, BOUNDS) is None
    assert pace.reader(64.0, 1, 1, BOUNDS) is None


@dataclass(frozen=True)
class Head:
    """A request's head."""

    path: str = "/"
    given: tuple[tuple[str, str], ...] = ()
    version: tuple[int, int] = (1, 1)
    chunked: bool = False

    @property
    def headers(self) -> CIMultiDict[str]:
        """By name in any case."""
        return CIMultiDict(self.given)

    @property
    def raw_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """As they came."""
        return tuple((name.encode(), value.encode()) for name, value in self.given)


CHUNKS = ("Transfer-Encoding", "Chunked")


@pytest.mark.parametrize(
    "head",
    [
        Head(),
        Head("*"),
        Head("http://a:80/live", (("Host", "A:80"),)),
        Head(given=(("content-encoding", "GZIP"),)),
        Head(given=(("Content-Encoding", "zstd"),)),
        Head(given=(("Content-Encoding", "identity"),)),
        Head(given=(CHUNKS,), chunked=True),
    ],
)
def test_odd_but_right(head: Head) -> None:
    """What the standards allow is no reason to refuse."""
    assert objections.objection("POST", head) is None


@pytest.mark.parametrize(
    ("method", "head", "code", "status"),
    [
        ("GET", Head("http://b/live", (("Host", "a"),)), "HOST_CONTRADICTED", 400),
        ("GET", Head("http://a@b/live", (("Host", "b"),)), "HOST_CONTRADICTED", 400),
        ("GET", Head("http://[", (("Host", "b"),)), "HOST_CONTRADICTED", 400),
        ("CONNECT", Head("a:80", (("Host", "a"),)), "METHOD_NOT_ALLOWED", 405),
        ("POST", Head(given=(("Content-Encoding", "lzma"),)), "UNSUPPORTED_CONTENT_ENCODING", 415),
        ("POST", Head(given=(("Content-Encoding", "gzip, gzip"),)), "UNSUPPORTED_CONTENT_ENCODING", 415),
        ("POST", Head(given=(("Content-Encoding", "gzip"),) * 2), "UNSUPPORTED_CONTENT_ENCODING", 415),
        (
            "POST",
            Head(given=(("Transfer-Encoding", "gzip, chunked"),), chunked=True),
            "UNSUPPORTED_TRANSFER_ENCODING",
            400,
        ),
        ("POST", Head(given=(CHUNKS,), version=(1, 0), chunked=True), "UNSUPPORTED_TRANSFER_ENCODING", 400),
    ],
)
def test_odd_and_refused(method: str, head: Head, code: str, status: int) -> None:
    """What two readers could understand in two ways, and what is not unpacked here."""
    found = objections.objection(method, head)

    assert found is not None
    assert (found.code, found.http_hint) == (code, status)
    assert found.suggestion


def test_wrapping_is_told_from_body() -> None:
    """Chunks of a line each are fine; chunks of a byte each are not, once there are many."""
    assert not objections.mostly_wrapping(sent=46 * 100_000, got=40 * 100_000)
    assert not objections.mostly_wrapping(sent=6 * 1000, got=1000)
    assert objections.mostly_wrapping(sent=6 * 100_000, got=100_000)
