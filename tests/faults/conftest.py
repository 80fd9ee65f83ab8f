"""One world for the session: control plane, proxy, operator and pods that answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.world import World, world
from plane import BUILD_SECONDS
from statuswatch import watched

CAMPAIGN_SECONDS = 600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs the control plane and more than a unit test's time."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            item.add_marker(pytest.mark.timeout(BUILD_SECONDS if item is items[0] else CAMPAIGN_SECONDS))


@pytest.fixture(scope="session", name="world")
def a_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world; the operator in it is not started yet."""
    with (
        world(tmp_path_factory.mktemp("world")) as made,
        watched(made.kubectl, tmp_path_factory.mktemp("statuses")) as statuses,
    ):
        yield made
        assert statuses.states()
    assert made.operator.crashes() == []
