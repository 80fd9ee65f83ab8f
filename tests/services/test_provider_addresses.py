"""Where providers are: names and redirects that lead elsewhere, look-ups that change, on real sockets."""

import asyncio
import socket
from pathlib import Path

import pytest

from origin import Origin, http, says
from running import StillClock
from strangers import LOOPBACK, THING, Names, good, heard, registry, self_signed, trap, witness
from typosentinel_server.clock import Clock
from typosentinel_server.providers.gleaned import State
from typosentinel_server.providers.pins import AGAIN_SECONDS, REFRESH_SECONDS

METADATA = "169.254.169.254"


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("target", ["http://127.0.0.1:{port}/", "//127.0.0.1:{port}/x", f"http://{METADATA}/latest/"])
async def test_redirects_are_not_followed(origin: Origin, real_clock: Clock, status: str, target: str) -> None:
    """Not even to a place that may be connected to."""
    async with trap() as listener:
        origin.answers["/thing"] = says(http(status, Location=target.format(port=listener.port)))
        async with witness(real_clock, registries=[registry(origin)], allowPrivate=[LOOPBACK]) as found:
            (evidence,) = await heard(found)
        assert listener.connections == 0
    assert evidence.state is State.REFUSED
    assert len(origin.asked) == 1


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["0.0.0.0"],
        [METADATA],
        ["10.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        ["127.0.0.1", "8.8.8.8"],
    ],
)
async def test_names_that_lead_inside_are_refused(real_clock: Clock, addresses: list[str]) -> None:
    """A name of which one address is not public is connected to at none; the listener sees nobody."""
    async with trap() as listener:
        section = {"registries": [{"ecosystem": "npm", "url": f"http://registry.example.org:{listener.port}/{{name}}"}]}
        async with witness(real_clock, Names([addresses]), timeout="10s", **section) as found:
            (evidence,) = await heard(found)
        assert listener.connections == 0
    assert evidence.state is State.REFUSED
    assert "must not be connected to" in evidence.reason


async def test_names_of_this_machine_are_refused(real_clock: Clock) -> None:
    """What the system's own resolver makes of localhost is loopback, too."""
    async with trap() as listener:
        section = {"registries": [{"ecosystem": "npm", "url": f"http://localhost:{listener.port}/{{name}}"}]}
        async with witness(real_clock, **section) as found:
            (evidence,) = await heard(found)
        assert listener.connections == 0
    assert evidence.state is State.REFUSED


async def test_a_socket_is_refused_whatever_led_to_it(real_clock: Clock) -> None:
    """The last look is at the very address that is connected to, past every check before."""
    async with trap() as listener:
        section = {"registries": [registry(Origin(listener.port))], "allowPrivate": [LOOPBACK]}
        async with witness(real_clock, **section) as found:
            # As if the check of the configuration had let a number through.
            peer = found._gatherer.providers[0]._peer
            peer._bounds = type(peer._bounds)(timeout=1.0)
            (evidence,) = await heard(found)
        assert listener.connections == 0
    assert evidence.state is State.REFUSED


async def test_a_name_that_flips_stays_where_it_was(origin: Origin, still: StillClock) -> None:
    """DNS rebinding: later look-ups lead inside, and connections go to the address that was checked."""
    names = Names([["127.0.0.1"], ["127.0.0.2"], [METADATA], OSError("no such name"), ["127.0.0.1", "127.0.0.2"]])
    async with trap("127.0.0.2", origin.port) as listener:
        section = {"registries": [registry(origin, "registry.example.org")], "allowPrivate": [LOOPBACK]}
        async with witness(still.clock, names, **section) as found:
            # Another name each time: no cache answers for the provider.
            for name in map(str, range(8)):
                origin.answers[f"/{name}"] = good(THING.replace(b"thing", name.encode()))
                (evidence,) = await heard(found, name)
                assert evidence.state is State.USED, evidence.reason
                still.seconds += REFRESH_SECONDS + 1
                await asyncio.sleep(0)
        assert listener.connections == 0
    assert len(origin.asked) == 8
    assert len(names.asked) >= 5


async def test_a_name_that_flips_at_once_is_checked_and_connected_to_as_one(origin: Origin, still: StillClock) -> None:
    """With a different answer at each look-up there is no time between the check and the connection."""
    origin.answers["/thing"] = good()
    names = Names([[METADATA], ["127.0.0.1"]])
    async with witness(
        still.clock, names, registries=[registry(origin, "registry.example.org")], allowPrivate=[LOOPBACK]
    ) as found:
        (first,) = await heard(found)
        still.seconds += 31
        (second,) = await heard(found)
    assert (first.state, second.state) == (State.REFUSED, State.USED)


async def test_a_host_that_moved_is_found_again(origin: Origin, still: StillClock) -> None:
    """Where pinned addresses do not answer, the name is looked up again before its time."""
    origin.answers["/thing"] = good()
    names = Names([["127.0.0.3"], ["127.0.0.1"]])
    allowed = [LOOPBACK, "127.0.0.3/32"]
    section = {"registries": [registry(origin, "registry.example.org")], "allowPrivate": allowed}
    async with witness(still.clock, names, **section) as found:
        (first,) = await heard(found)
        states = []
        for _ in range(3):
            still.seconds += AGAIN_SECONDS
            states.append((await heard(found))[0].state)
    assert first.state is State.UNAVAILABLE
    assert states[-1] is State.USED


async def test_a_look_up_that_hangs_costs_no_more_than_the_timeout(still: StillClock, real_clock: Clock) -> None:
    """And only one look-up is under way at a time, however many wait for it."""
    asked = []

    async def hanging(host: str) -> list[str]:
        asked.append(host)
        await asyncio.Event().wait()
        return []

    section = {"registries": [{"ecosystem": "npm", "url": "http://registry.example.org/{name}"}], "timeout": "100ms"}
    async with witness(real_clock, hanging, **section) as found, asyncio.timeout(10):
        for name in ("one", "two", "three"):
            (evidence,) = await heard(found, name)
            assert evidence.state is State.TIMEOUT
    assert asked == ["registry.example.org"]


async def test_tls_is_checked(tmp_path: Path, real_clock: Clock) -> None:
    """A certificate that nobody vouches for ends the connection, and so does a server without TLS."""
    async with trap(context=self_signed(tmp_path, "registry.example.org")) as tls, trap() as plain:
        for port in (tls.port, plain.port):
            section = {"registries": [{"ecosystem": "npm", "url": f"https://registry.example.org:{port}/{{name}}"}]}
            async with witness(real_clock, Names([["127.0.0.1"]]), allowPrivate=[LOOPBACK], **section) as found:
                (evidence,) = await heard(found)
            assert evidence.state is State.UNAVAILABLE


async def test_nobody_there(real_clock: Clock) -> None:
    """A port that nobody listens on is no evidence."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        section = {"registries": [registry(Origin(taken.getsockname()[1]))], "allowPrivate": [LOOPBACK]}
        async with witness(real_clock, **section) as found:
            (evidence,) = await heard(found)
    assert evidence.state is State.UNAVAILABLE
