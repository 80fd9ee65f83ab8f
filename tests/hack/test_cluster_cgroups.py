import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hack.cluster import cgroups
from hack.cluster.nodeconfig import CGROUP


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cluster's group in a hierarchy of plain folders."""
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    (tmp_path / "cgroup.controllers").touch()
    (tmp_path / CGROUP).mkdir()
    return tmp_path / CGROUP


@contextlib.contextmanager
def coming_and_going(group: Path) -> Iterator[None]:
    """Makes and removes groups below it, as containerd does while containers start and end."""
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            made = [group / "kubepods" / f"pod{n}" / "container" for n in range(20)]
            for folder in made:
                folder.mkdir(parents=True)
            for folder in made:
                folder.rmdir()
                folder.parent.rmdir()
            (group / "kubepods").rmdir()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_members_are_found_at_every_depth(group: Path) -> None:
    """In the group itself and in those of its containers."""
    container = group / "kubepods" / "burstable" / "pod1" / "container"
    container.mkdir(parents=True)
    (group / "cgroup.procs").write_text("")
    (container / "cgroup.procs").write_text("4000001\n4000002\n")
    assert cgroups.members() == {4000001, 4000002}
    assert next(cgroups.groups()) == container
    assert list(cgroups.groups())[-1] == group


def test_groups_that_go_while_they_are_looked_at_are_passed_over(group: Path) -> None:
    """As when containers end by themselves while the cluster is taken down."""
    with coming_and_going(group):
        for _ in range(300):
            assert cgroups.members() == set()


def test_every_group_is_removed(group: Path) -> None:
    """The innermost first; none is left, and there being none is no error."""
    (group / "kubepods" / "pod1" / "container").mkdir(parents=True)
    cgroups.remove()
    assert not group.exists()
    cgroups.remove()
    assert cgroups.members() == set()
