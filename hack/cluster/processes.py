"""Long-running programs, started with a pid file and stopped by that pid, never by name.

A pid alone proves nothing after a reboot or a crash: the process behind it counts as ours only while its command line
is exactly the recorded one, which names the cluster's own directories.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hack.cluster.failures import ClusterError

LOG_LIMIT_BYTES = 64 * 1024 * 1024
# The shell writes its own pid before it becomes the program: were the pid written by the parent, a parent killed at the
# wrong moment would leave a process that nobody knows.
WRITE_PID_THEN_RUN = 'echo $$ > "$0" && exec "$@"'


@dataclass(frozen=True)
class Daemon:
    """One long-running program of the cluster."""

    name: str
    arguments: tuple[str, ...]
    run_directory: Path
    log_directory: Path
    stop_seconds: float = 10.0

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.log_directory / f"{self.name}.log"

    @property
    def pid_file(self) -> Path:
        """Where its pid stands while it runs."""
        return self.run_directory / f"{self.name}.pid"

    @property
    def record(self) -> Path:
        """Where the command line stands with which it was started."""
        return self.run_directory / f"{self.name}.json"

    def start(self) -> bool:
        """Start it unless it runs already, and with the same command line; tell whether it was started."""
        if self.current():
            return False
        if self.running():
            stop_all([self])
        self.run_directory.mkdir(parents=True, exist_ok=True)
        self.log_directory.mkdir(parents=True, exist_ok=True)
        self.pid_file.unlink(missing_ok=True)
        self.record.write_text(json.dumps(self.arguments), encoding="utf-8")
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            child = subprocess.Popen(
                ["/bin/sh", "-c", WRITE_PID_THEN_RUN, str(self.pid_file), *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd="/",
                env=environment(),
            )
        # Until the shell has become the program its command line is another one.
        wait_until(lambda: child.poll() is not None or self.running() is not None, 10, 0.005)
        return True

    def running(self) -> int | None:
        """Return the pid when the process is there and really is this one."""
        return recorded_process(self.pid_file, self.record)

    def adopt(self, pid: int) -> None:
        """Take on a process of exactly this command line whose pid file has been lost."""
        self.record.write_text(json.dumps(self.arguments), encoding="utf-8")
        self.pid_file.write_text(str(pid), encoding="utf-8")

    def stopped(self) -> bool:
        """Tell whether no such process runs."""
        return self.running() is None

    def current(self) -> bool:
        """Tell whether it runs in the wanted version, with the wanted arguments; from whose cache does not matter."""
        recorded = recorded_arguments(self.record) if self.running() else ()
        if not recorded:
            return False
        ours, theirs = Path(self.arguments[0]), Path(recorded[0])
        return (ours.parent.name, ours.name, self.arguments[1:]) == (theirs.parent.name, theirs.name, recorded[1:])

    def require(self) -> None:
        """Fail, with the end of its log, when it does not run."""
        if self.running() is None:
            raise ClusterError(
                f"{self.name} has stopped", log=self.log, advice="`down` followed by `up` starts from scratch."
            )


def environment() -> dict[str, str]:
    """Return the little that daemons need of the caller's environment: above all no proxy settings."""
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/", "LANG": "C.UTF-8"}


def recorded_arguments(record: Path) -> tuple[str, ...]:
    """Return the command line of a record; empty when there is none to read."""
    try:
        loaded = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    return tuple(str(argument) for argument in loaded) if isinstance(loaded, list) else ()


def recorded_process(pid_file: Path, record: Path) -> int | None:
    """Return the pid of a pid file when that process runs the recorded command line."""
    try:
        pid = int(pid_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    arguments = recorded_arguments(record)
    return pid if arguments and command_line(pid) == arguments else None


def command_line(pid: int) -> tuple[str, ...]:
    """Return a process's command line; empty for one that is gone, or dead and not yet waited for."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ()
    return tuple(part.decode("utf-8", "replace") for part in raw.split(b"\0")[:-1])


def all_processes() -> Iterable[tuple[int, tuple[str, ...]]]:
    """List every process with its command line."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            yield int(entry.name), command_line(int(entry.name))


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may have ended meanwhile."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def stop_all(daemons: Sequence[Daemon]) -> None:
    """Stop daemons together: ask, wait, insist; then forget their pid files."""
    begun = time.monotonic()
    for daemon in daemons:
        pid = daemon.running()
        if pid:
            send(pid, signal.SIGTERM)
    for daemon in daemons:
        patience = max(0.1, begun + daemon.stop_seconds - time.monotonic())
        if not wait_until(daemon.stopped, patience, 0.02):
            pid = daemon.running()
            if pid:
                send(pid, signal.SIGKILL)
            if not wait_until(daemon.stopped, 10, 0.02):
                raise ClusterError(f"{daemon.name} (pid {pid}) does not stop, not even by SIGKILL", log=daemon.log)
        daemon.pid_file.unlink(missing_ok=True)
        daemon.record.unlink(missing_ok=True)


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.1) -> bool:
    """Wait for a condition for at most so long."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def run(arguments: Sequence[str], what: str, *, seconds: float = 60, log: Path | None = None) -> str:
    """Run a short command to its end and return what it printed; a failure names it and shows its last words."""
    try:
        done = subprocess.run(
            arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
        )
    except FileNotFoundError:
        raise ClusterError(f"{what}: {arguments[0]} is not installed", log=log) from None
    except subprocess.TimeoutExpired:
        raise ClusterError(f"{what}: no answer within {seconds:.0f} s: {' '.join(arguments)}", log=log) from None
    if done.returncode:
        said = "\n    ".join((done.stderr or done.stdout).strip().splitlines()[-10:])
        raise ClusterError(f"{what}: `{' '.join(arguments)}` ended with {done.returncode}\n    {said}", log=log)
    return done.stdout
