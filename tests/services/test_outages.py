"""Servers in processes of their own, under load, while Redis and their provider fail; `make faults-redis` in short."""

from pathlib import Path

import pytest
from hack.faults.outages import OUTAGES, Pace
from hack.faults.quota import Quota, shared_limit
from hack.faults.scene import scene

# A busy machine is given twice the time that the design promises.
SHORT = Pace(quiet=0.3, fault=1.0, opened=2.0, back=20.0)
RATE = 150.0


@pytest.mark.timeout(180)
async def test_no_scan_fails_whatever_redis_and_the_provider_do(tmp_path: Path) -> None:
    """Killed, black-holed, flapping, wiped, full, hanging: every verdict is right, and all is used again soon after."""
    async with scene(tmp_path, RATE) as made:
        rows = [await outage(made, SHORT) for outage in OUTAGES]

    assert {row.name: row.failed for row in rows} == {row.name: [] for row in rows}
    assert made.load.errors == []
    assert all(row.figures["scans"] > 0 for row in rows)
    assert [line for target in made.targets for line in target.log if '"level": "error"' in line] == []


@pytest.mark.parametrize("quota", [Quota(400, 2, 200), Quota(20, 2, 20)], ids=["slices", "exact"])
async def test_three_servers_hold_one_limit(tmp_path: Path, quota: Quota) -> None:
    """Each is asked for more than all of it: no window holds more than the limit, none less than 97 in a hundred."""
    row = await shared_limit(tmp_path, quota, 4.5)

    assert row.failed == []
    assert row.figures["refused"] > 0
