import io
import json
import os
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hack.cluster import archive, commandline, privilege, state
from hack.cluster.failures import ClusterError, last_lines
from hack.cluster.processes import Daemon, command_line, recorded_process, run, stop_all, wait_until
from hack.cluster.progress import Steps, duration


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that only sleeps; stopped in any case."""
    daemon = Daemon(
        "sleeper", (sys.executable, "-c", "import time; time.sleep(60)"), tmp_path / "run", tmp_path / "log"
    )
    yield daemon
    stop_all([daemon])


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_daemon_is_started_once_and_stopped_by_its_pid(sleeper: Daemon) -> None:
    """A daemon is started once and stopped by its pid."""
    assert sleeper.start() is True
    pid = sleeper.running()
    assert pid is not None
    assert sleeper.start() is False
    assert sleeper.running() == pid
    stop_all([sleeper])
    assert command_line(pid) == ()
    assert not sleeper.pid_file.exists()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_daemon_with_other_arguments_is_replaced(sleeper: Daemon, tmp_path: Path) -> None:
    """A daemon with other arguments is replaced."""
    sleeper.start()
    old = sleeper.running()
    other = Daemon("sleeper", (*sleeper.arguments, "more"), tmp_path / "run", tmp_path / "log")
    assert other.start() is True
    assert other.running() not in (None, old)
    stop_all([other])


def test_a_pid_that_belongs_to_somebody_else_is_not_ours(tmp_path: Path) -> None:
    """A pid that belongs to somebody else is not ours."""
    (tmp_path / "x.pid").write_text(str(os.getpid()))
    (tmp_path / "x.json").write_text(json.dumps(["/bin/x"]))
    assert recorded_process(tmp_path / "x.pid", tmp_path / "x.json") is None
    (tmp_path / "x.json").write_text("not json")
    assert recorded_process(tmp_path / "x.pid", tmp_path / "x.json") is None


def test_a_program_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    """A program that ends at once is reported with its last words."""
    daemon = Daemon("brief", ("/bin/sh", "-c", "echo no such thing; exit 1"), tmp_path / "run", tmp_path / "log")
    daemon.start()
    # It may have been seen running, on a busy machine.
    assert wait_until(lambda: daemon.running() is None, 4, 0.01)
    with pytest.raises(ClusterError) as caught:
        daemon.require()
    report = caught.value.report()
    assert str(daemon.log) in report
    assert "| no such thing" in report


def test_failed_commands_say_what_and_why() -> None:
    """Failed commands say what and why."""
    with pytest.raises(ClusterError, match=r"(?s)looking.*ended with 3.*because") as caught:
        run(["/bin/sh", "-c", "echo because >&2; exit 3"], "looking")
    assert "Traceback" not in caught.value.report()
    with pytest.raises(ClusterError, match="not installed"):
        run(["/nowhere/program"], "looking")


def test_only_the_end_of_a_log_is_shown(tmp_path: Path) -> None:
    """Only the end of a log is shown."""
    log = tmp_path / "log"
    log.write_text("".join(f"{number}\n" for number in range(100_000)))
    assert last_lines(log, 2) == ["99998", "99999"]
    assert last_lines(tmp_path / "none") == []


@pytest.mark.parametrize(("seconds", "text"), [(0.42, "0.4 s"), (12.3, "12 s"), (221, "3 min 41 s")])
def test_durations(seconds: float, text: str) -> None:
    """Durations."""
    assert duration(seconds) == text


def test_progress_lines_tell_what_how_long_and_the_outcome() -> None:
    """Progress lines tell what how long and the outcome."""
    output = io.StringIO()
    steps = Steps(2, output)
    with steps.step("kubelet: compiling", "about 1 min"):
        pass
    with pytest.raises(ValueError, match="x"), steps.step("next"):
        raise ValueError("x")
    first, second = output.getvalue().splitlines()
    assert first == "[ 1/2] kubelet: compiling (about 1 min) … 0.0 s"
    assert second.startswith("[ 2/2] next … failed after")


def test_the_cache_is_outside_the_checkout_and_can_be_moved() -> None:
    """The cache is outside the checkout and can be moved."""
    assert state.cache_directory({}, Path("/home/a")) == Path("/home/a/.cache/typosentinel")
    assert state.cache_directory({"XDG_CACHE_HOME": "/x"}, Path("/home/a")) == Path("/x/typosentinel")
    assert state.cache_directory({"TYPOSENTINEL_CACHE": "/t", "XDG_CACHE_HOME": "/x"}) == Path("/t")


def test_with_sudo_the_caller_owns_the_cluster() -> None:
    """With sudo the caller owns the cluster."""
    assert state.person({"SUDO_UID": "12345", "HOME": "/h"}, uid=0).uid == 12345
    assert state.person({"SUDO_UID": "12345", "HOME": "/h"}, uid=777).uid == 777


def test_sudo_is_given_the_callers_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sudo is given the callers cache."""
    monkeypatch.setenv("TYPOSENTINEL_CACHE", "/c")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", "/k")
    command = privilege.sudo_command(Path("/p"), ["up"])
    assert command[:2] == ["sudo", "--"]
    assert "TYPOSENTINEL_CACHE=/c" in command
    assert "KUBEBUILDER_ASSETS=/k" in command
    assert command[-2:] == ["/p", "up"]


def test_files_appear_whole_and_with_their_mode(tmp_path: Path) -> None:
    """Files appear whole and with their mode."""
    state.write(tmp_path / "a" / "secret", "text", 0o600)
    assert (tmp_path / "a" / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["secret"]


def test_a_lock_is_free_again_after_use(tmp_path: Path) -> None:
    """A lock is free again after use."""
    for _ in range(2):
        with state.locked(tmp_path / "lock", "testing"):
            assert (tmp_path / "lock").exists()


def test_an_image_of_one_program(tmp_path: Path) -> None:
    """An image of one program."""
    program = tmp_path / "pause"
    program.write_bytes(b"program")
    name = archive.name_of_program("pause", program)
    assert name.startswith("localhost/pause:")
    archive.single_program(name, program, tmp_path / "image.tar")
    with tarfile.open(tmp_path / "image.tar") as tar:
        names = tar.getnames()
        index_file = tar.extractfile("index.json")
        assert index_file is not None
        index = json.loads(index_file.read())
    assert len([entry for entry in names if entry.startswith("blobs/sha256/")]) == 3
    assert index["manifests"][0]["annotations"]["io.containerd.image.name"] == name
    program.write_bytes(b"another")
    assert archive.name_of_program("pause", program) != name


def test_commands_are_described() -> None:
    """Commands are described."""
    options = commandline.parser().parse_args(["control-plane", "--dir", "/d", "up"])
    assert (options.dir, options.action, options.no_controllers) == (Path("/d"), "up", False)
    assert commandline.parser().parse_args(["load", "a", "b"]).files == [Path("a"), Path("b")]


def test_errors_are_no_tracebacks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Errors are no tracebacks."""

    def refuse(*_: object) -> None:
        raise ClusterError("it cannot be", advice="Do something else.")

    monkeypatch.setattr(commandline, "execute", refuse)
    assert commandline.main(["status"]) == 1
    assert capsys.readouterr().err == "error: it cannot be\n  Do something else.\n"


@pytest.mark.parametrize(
    ("there", "docker", "kind"),
    [(False, True, "KindCluster"), (False, False, "LocalCluster"), (True, True, "LocalCluster")],
)
def test_docker_decides_unless_there_is_a_cluster(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, there: bool, docker: bool, kind: str
) -> None:
    """Docker decides unless there is a cluster."""
    monkeypatch.setattr(commandline, "STATE", tmp_path if there else tmp_path / "none")
    monkeypatch.setattr(commandline, "docker_answers", lambda: docker)
    assert type(commandline.choose(tmp_path)).__name__ == kind
