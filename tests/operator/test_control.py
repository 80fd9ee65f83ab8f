"""What is put into the queue, and when: events of watches, and lists of everything."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import factories
from operatorparts import RESYNC, Process
from typosentinel_operator import control, mirror, names
from typosentinel_operator.errors import ClusterError, Refused, WatchFailed
from typosentinel_operator.names import Kind
from typosentinel_operator.reconcile import Key
from typosentinel_operator.scope import Scope

Manifest = dict[str, Any]
FRONT = Key(names.SCAN_SERVICE, "team-a", "front")
BOTH = Scope(("a", "b"))
POLICY = Key(names.CACHE_POLICY, "team-a", "small")


def service(version: int = 7, **spec: Any) -> Manifest:
    """A stored ScanService that refers to a policy."""
    return factories.stored(
        factories.scan_service(cachePolicyRef={"name": "small"}, **spec), resourceVersion=str(version)
    )


def child(kind: Kind = names.SERVICE, version: int = 9, **labels: str) -> Manifest:
    """A child of that ScanService."""
    given = {names.LABEL_MANAGED_BY: names.FIELD_MANAGER, names.LABEL_SCAN_SERVICE: "front", **labels}
    manifest = {"apiVersion": kind.api_version, "kind": kind.name, "spec": {}}
    meta = {"name": "front-scanner", "namespace": "team-a", "labels": given}
    return factories.stored(manifest | {"metadata": meta}, uid=kind.name, resourceVersion=str(version))


def waiting(process: Process) -> set[Key]:
    """Keys that wait for a worker."""
    return set(process.control.queue._since)


def clear(process: Process) -> None:
    """Let nothing wait."""
    queue = process.control.queue
    queue._since.clear()
    queue._ready.clear()
    queue._urgent.clear()
    for timer in queue._timers.values():
        timer.cancel()
    queue._timers.clear()
    queue._due.clear()


def finds(process: Process, kind: str) -> float | None:
    """Changes of objects of a kind that only a resync has told."""
    return process.registry.get_sample_value("typosentinel_operator_resync_finds_total", {"kind": kind})


async def four_waits(process: Process, meanwhile: Mapping[int, Callable[[], None]]) -> list[float]:
    """How long it waits before its first four resyncs, in seconds; what happens during the n-th wait is given."""
    waits: list[float] = []

    async def slept(seconds: float) -> None:
        waits.append(seconds)
        meanwhile.get(len(waits), lambda: None)()
        if len(waits) == 4:
            raise asyncio.CancelledError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "sleep", slept)
        with pytest.raises(asyncio.CancelledError):
            await process.control.resync_forever()
    return waits


@pytest.fixture
async def process() -> Process:
    """A process that has not seen anything."""
    return Process()


async def test_the_first_resync_enqueues_everything_at_once(process: Process) -> None:
    """Later the keys are spread over a quarter of the period."""
    process.cluster.items = {"ScanService": [service()], "CachePolicy": [factories.stored(factories.cache_policy())]}
    await process.control.resync()
    assert waiting(process) == {FRONT, POLICY}
    assert process.registry.get_sample_value("typosentinel_operator_objects", {"kind": "ScanService"}) == 1
    clear(process)
    await process.control.resync()
    assert not waiting(process)
    wanted = [process.clock.now + 0.5 * RESYNC / 4] * 2
    assert wanted == list(process.control.queue._due.values())
    clear(process)


async def test_only_the_namespaces_in_question_are_read() -> None:
    """With rights for two namespaces a list of all is refused."""
    process = Process(BOTH)
    await process.control.resync()
    assert process.cluster.asked == [*["a"] * len(mirror.WATCHED), *["b"] * len(mirror.WATCHED)]


async def test_a_namespace_that_is_gone_does_not_keep_it_from_the_others() -> None:
    """It has taken the rights in it along: not to be watched, or the watch would end the process again and again."""
    process = Process(BOTH)
    process.cluster.refused = {"b"}
    assert await process.control.choose_namespaces() == ("a",)
    process.cluster.items = {"ScanService": [service()]}
    await process.control.resync()
    assert waiting(process) == {FRONT}
    clear(process)


async def test_a_namespace_that_is_back_is_watched_by_the_next_process() -> None:
    """What watches is told of all namespaces at its start."""
    process = Process(BOTH)
    process.cluster.refused = {"b"}
    await process.control.choose_namespaces()
    process.cluster.refused = set()
    with pytest.raises(WatchFailed, match="namespace b"):
        await process.control.resync()


async def test_rights_that_are_lost_meanwhile_are_missed_in_one_namespace_only(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Until its watch ends, too."""
    process = Process(BOTH)
    assert await process.control.choose_namespaces() == ("a", "b")
    process.cluster.refused = {"a"}
    process.cluster.items = {"ScanService": [service()]}
    await process.control.resync()
    assert waiting(process) == {FRONT}
    clear(process)
    assert "namespace=a" in capsys.readouterr().out


async def test_without_any_rights_it_says_so() -> None:
    """And does not lead a quiet life without namespaces."""
    process = Process(BOTH)
    process.cluster.refused = {"a", "b"}
    assert await process.control.choose_namespaces() == ("a", "b")
    with pytest.raises(Refused, match="in a"):
        await process.control.resync()
    process.cluster.refused = {None}
    everywhere = Process()
    everywhere.cluster.refused = {None}
    assert await everywhere.control.choose_namespaces() == ()
    with pytest.raises(Refused):
        await everywhere.control.resync()


async def test_each_look_is_a_sign_of_life(process: Process) -> None:
    """Also one of those that follow one another because a watch is dead, and one that fails."""
    await process.control.resync()
    assert process.control.progress.last_attempt == process.clock.now
    process.clock.now += 100
    process.cluster.error = ClusterError("away")
    with pytest.raises(ClusterError):
        await process.control._look_at_all(first=False)
    assert process.control.progress.last_attempt == process.clock.now


async def test_what_a_watch_missed_is_found_by_the_next_resync(process: Process) -> None:
    """At once, not with the keys that are looked at anyway."""
    process.cluster.items = {"ScanService": [service()], "Service": [child()]}
    await process.control.resync()
    clear(process)
    process.cluster.items["Service"] = []
    await process.control.resync()
    assert waiting(process) == {FRONT}
    clear(process)


async def test_nobody_works_before_everything_has_been_seen(process: Process) -> None:
    """Every child would seem to be missing, and be made a second time."""
    process.control.heard(names.SCAN_SERVICE, service(), gone=False)
    working = asyncio.create_task(process.control.work(1))
    for _ in range(5):
        await asyncio.sleep(0)
    assert waiting(process) == {FRONT}
    process.cluster.items = {"ScanService": []}
    await process.control.resync()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting(process)
    working.cancel()
    clear(process)


async def test_an_event_concerns_the_object_and_what_it_is_tied_to(process: Process) -> None:
    """A ScanService its policies, which count their users; a child its ScanService; an end both."""
    process.control.heard(names.SCAN_SERVICE, service(), gone=False)
    assert waiting(process) == {FRONT}
    assert set(process.control.queue._due) == {POLICY}
    clear(process)
    process.control.heard(names.SERVICE, child(), gone=False)
    assert waiting(process) == {FRONT}
    clear(process)
    process.control.heard(names.SCAN_SERVICE, service(8), gone=True)
    assert waiting(process) == {FRONT}
    assert set(process.control.queue._due) == {POLICY}
    clear(process)


async def test_the_echo_of_our_own_write_is_no_news(process: Process) -> None:
    """Or each write would cause a look at everything."""
    process.cluster.mirror.see(names.SERVICE, child())
    process.control.heard(names.SERVICE, child(), gone=False)
    assert not waiting(process)


async def test_what_somebody_waits_for_goes_first(process: Process) -> None:
    """A spec that nobody has answered yet, before objects of which only a child has changed."""
    settled = service() | {"status": {"observedGeneration": 1}}
    settled["metadata"] = settled["metadata"] | {"name": "back", "uid": "back"}
    process.cluster.items = {"ScanService": [settled, service()]}
    await process.control.resync()
    assert list(process.control.queue._urgent) == [FRONT]
    assert process.control.queue._take() == (FRONT, True)
    clear(process)


async def test_a_list_out_of_the_past_is_refused(process: Process) -> None:
    """An API server that lags would have us believe that what was made since has gone."""
    process.cluster.items = {"Service": [child(version=90)]}
    await process.control.resync()
    process.cluster.version, process.cluster.items["Service"] = "80", []
    with pytest.raises(ClusterError, match="is older than what has been seen of them"):
        await process.control.resync()
    assert process.cluster.mirror.get(names.SERVICE, "team-a", "front-scanner") is not None


async def test_a_cluster_that_was_set_back_is_taken_as_it_is(process: Process) -> None:
    """After a restored backup all lists are of the past, for good: the operator must not refuse them for ever."""
    process.cluster.items = {"Service": [child(version=90)]}
    await process.control.resync()
    process.cluster.version, process.cluster.items["Service"] = "80", []
    for _ in range(control.STALE_LISTS):
        with pytest.raises(ClusterError):
            await process.control.resync()
    await process.control.resync()
    assert process.cluster.mirror.get(names.SERVICE, "team-a", "front-scanner") is None
    clear(process)


async def test_a_busy_api_server_is_asked_again_when_it_says(process: Process) -> None:
    """A Retry-After of minutes counts for more than our own two seconds."""
    process.cluster.error = ClusterError("too many requests", status=429, retry_after=60.0)

    def answers() -> None:
        process.cluster.error = None

    waits = await four_waits(process, {3: answers})
    # Each with jitter: half of what is allowed, with this dice.
    assert waits == pytest.approx([control.START_SPREAD_SECONDS / 2, 63.0, 63.0, RESYNC * 1.05])


async def test_users_hear_of_a_policys_end_when_it_has_come(process: Process) -> None:
    """One with a finalizer is marked first, and holds until it has gone."""
    marked = factories.stored(factories.cache_policy(), deletionTimestamp="2026-05-04T12:00:00Z", generation=2)
    process.control.heard(names.SCAN_SERVICE, service(), gone=False)
    process.control.heard(names.CACHE_POLICY, marked, gone=False)
    await process.control.process(POLICY)
    clear(process)
    process.control.heard(names.CACHE_POLICY, factories.stored(marked, resourceVersion="8"), gone=True)
    clear(process)
    await process.control.process(POLICY)
    assert waiting(process) == {FRONT}
    clear(process)
    process.control.heard(names.SCAN_SERVICE, service(9), gone=True)
    await process.control.process(POLICY)
    assert process.control.versions == {}
    clear(process)


@pytest.mark.parametrize("reference", [{}, None, "small", {"name": 3}, {"name": None}])
async def test_a_reference_of_another_version_of_the_definitions_does_not_stop_the_others(
    process: Process, reference: Any
) -> None:
    """It is told in a condition (InvalidSpec), and everything else goes on."""
    process.cluster.items = {"ScanService": [factories.stored(factories.scan_service(cachePolicyRef=reference))]}
    await process.control.resync()
    assert waiting(process) == {FRONT}
    clear(process)


async def test_users_hear_of_a_policy_whose_status_can_not_be_written(process: Process) -> None:
    """What it says is in effect at once; its own report may wait."""

    async def refused(*_: Any) -> None:
        raise ClusterError("an admission webhook is away")

    process.control.heard(names.SCAN_SERVICE, service(), gone=False)
    process.control.heard(names.CACHE_POLICY, factories.stored(factories.cache_policy()), gone=False)
    clear(process)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process.cluster, "apply_status", refused)
        for wanted in ({FRONT}, set()):
            with pytest.raises(ClusterError):
                await process.control.process(POLICY)
            assert waiting(process) == wanted
            clear(process)


@pytest.mark.parametrize("item", [{}, {"metadata": None}, {"metadata": {"name": "front", "namespace": "team-a"}}])
async def test_a_list_of_something_else_is_an_error_that_passes(process: Process, item: Manifest) -> None:
    """A proxy in between may answer with anything; the operator asks again."""
    process.cluster.items["ScanService"] = [item]
    with pytest.raises(ClusterError, match="the list of scanservices holds what is none"):
        await process.control.resync()


async def test_where_a_watch_is_dead_lists_follow_each_other(process: Process) -> None:
    """It does not tell the end of a rollout either; what lists show is worked on, and nothing else."""

    def appears() -> None:
        process.cluster.items["ScanService"] = [service()]

    process.cluster.items["CachePolicy"] = [factories.stored(factories.cache_policy())]
    waits = await four_waits(process, {2: appears})
    assert waits[1:] == pytest.approx([RESYNC * 1.05, control.HEARD_SECONDS, RESYNC * 1.05])
    assert finds(process, "ScanService") == 1
    clear(process)


async def test_what_a_watch_tells_in_time_was_not_missed(process: Process) -> None:
    """The event was on its way when the list was read: no reason to look again, in a storm least of all."""

    def appears() -> None:
        process.cluster.items = {"ScanService": [service()]}

    def told() -> None:
        process.control.heard(names.SCAN_SERVICE, service(), gone=False)

    looks = len(process.cluster.asked)
    await four_waits(process, {2: appears, 3: told})
    assert len(process.cluster.asked) - looks == 2 * len(mirror.WATCHED)
    assert finds(process, "ScanService") is None
    clear(process)


async def test_pods_that_change_hands_are_nothing_that_a_watch_missed() -> None:
    """They come and go with their ScanService's label, and nothing about them changes: no watch can tell."""
    pod = child(names.POD)
    pod["status"] = {}
    for shard, wanted in (("", 1.0), ("a", None)):
        process = Process(Scope(selector="team=a" if shard else "", shard=shard))
        process.control.heard(names.SCAN_SERVICE, service(), gone=False)
        await process.control.resync()
        process.cluster.items = {"ScanService": [service()], "Pod": [pod]}

        async def passed(_: float) -> None: ...

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio, "sleep", passed)
            await process.control._look_at_all(first=False)
            await process.control._missed()
        assert finds(process, "Pod") == wanted, shard
        clear(process)
