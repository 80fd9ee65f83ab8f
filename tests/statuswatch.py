"""Every state of our objects that an API server has held, as watches tell of it, into a file."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import snapshots
from kube import Kubectl
from typosentinel_operator import names
from typosentinel_operator.names import Kind

Manifest = dict[str, Any]

# Before a watch that ended is begun anew; the API server may be away.
PAUSE_SECONDS: Final = 0.2
END_SECONDS: Final = 20.0


@dataclass(slots=True)
class Watch:
    """Watches one kind in all namespaces, and goes on where it was when the API server ends the watch or is away.

    Attributes:
        kubectl: as whom.
        kind: what.
        folder: where the states are kept, one line each.
    """

    kubectl: Kubectl
    kind: Kind
    folder: Path
    _version: str = ""
    _process: subprocess.Popen[str] | None = None
    _stopped: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    @property
    def path(self) -> Path:
        """The file with the states."""
        return self.folder / f"{self.kind.plural}.jsonl"

    def start(self) -> None:
        """Watch from now on, in a thread of its own."""
        self._version = self._latest()
        self.path.touch()
        self._thread = threading.Thread(target=self._run, name=f"watch-{self.kind.plural}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop; whatever has come is in the file."""
        with self._lock:
            self._stopped.set()
            if self._process is not None:
                self._process.terminate()
        if self._thread is not None:
            self._thread.join(END_SECONDS)
            assert not self._thread.is_alive(), "the watch does not end"

    def states(self) -> list[Manifest]:
        """The states so far, the oldest first."""
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def _run(self) -> None:
        while not self._stopped.is_set():
            process = self._open()
            if process is None:
                return
            with process, self.path.open("a") as kept:
                for line in process.stdout or ():
                    kept.write(self._taken(line))
                    kept.flush()
            self._stopped.wait(PAUSE_SECONDS)

    def _open(self) -> subprocess.Popen[str] | None:
        """The watch as a process, from the version that was seen last; None once nobody wants it any more."""
        query = f"watch=true&allowWatchBookmarks=true&resourceVersion={self._version}"
        command = [*self.kubectl.path, "get", "--raw", f"{self._url()}?{query}"]
        with self._lock:
            if self._stopped.is_set():
                return None
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            return self._process

    def _taken(self, line: str) -> str:
        """The line to keep of an event; a watch that was cut off may end within one, which comes again."""
        try:
            event = json.loads(line)
        except ValueError:
            return ""
        if event["type"] == "ERROR":
            # The version is too old to go on from: begin anew with what there is.
            self._version = ""
            return ""
        self._version = event["object"]["metadata"]["resourceVersion"]
        return "" if event["type"] == "BOOKMARK" else json.dumps(event["object"]) + "\n"

    def _latest(self) -> str:
        version: str = json.loads(self.kubectl.run("get", "--raw", self._url()))["metadata"]["resourceVersion"]
        return version

    def _url(self) -> str:
        return f"/apis/{names.API_VERSION}/{self.kind.plural}"


@dataclass(slots=True)
class StatusWatch:
    """Watches all our kinds.

    Attributes:
        kubectl: as whom.
        folder: where the states are kept.
    """

    kubectl: Kubectl
    folder: Path
    watches: list[Watch] = field(init=False)

    def __post_init__(self) -> None:
        self.watches = [Watch(self.kubectl, kind, self.folder) for kind in names.CUSTOM_KINDS]

    def start(self) -> None:
        """Watch from now on."""
        for watch in self.watches:
            watch.start()

    def stop(self) -> None:
        """Stop all watches."""
        for watch in self.watches:
            watch.stop()

    def states(self) -> list[Manifest]:
        """Every state so far; those of one object in their order."""
        return [state for watch in self.watches for state in watch.states()]


@contextmanager
def watched(kubectl: Kubectl, folder: Path) -> Iterator[StatusWatch]:
    """Every state of our objects from here on; at the end all of them must have made sense.

    By kstatus, by Argo CD's script and by the rules for conditions.
    """
    made = StatusWatch(kubectl, folder)
    made.start()
    try:
        yield made
    finally:
        made.stop()
    assert snapshots.of_all(made.states()) == []
