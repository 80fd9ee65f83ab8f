"""A server in a process of its own, to be attacked."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

HEAD = "apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\n"
START_SECONDS = 30
STOP_SECONDS = 30


@dataclass(frozen=True)
class Target:
    """A server that listens.

    Attributes:
        process: its process.
        host: where it listens.
        port: on which port.
        written: where its log goes: a file takes in any amount, a pipe would hold the server up.
        log: the lines that it wrote after the first; once it has ended.
    """

    process: "subprocess.Popen[bytes]"
    host: str
    port: int
    written: Path
    log: list[str] = field(default_factory=list)

    def memory(self, key: str = "VmRSS") -> int:
        """Bytes of its memory: VmRSS resident now, VmHWM resident at most so far."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
        raise LookupError(key)

    def forget_peak(self) -> None:
        """Makes what is resident now the peak so far."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def cpu(self) -> float:
        """Seconds of processor time that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> list[str]:
        """Asks it to go, skipping the drain; returns what it logged after its first line."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self) -> list[str]:
        """Waits for its end, and ends it by force where it takes too long."""
        try:
            self.process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log[:] = self.written.read_text().splitlines()[1:]
        return self.log


def launched(folder: Path, server: dict[str, object] | None = None, *arguments: str) -> Target:
    """Starts a server.

    Args:
        folder: an existing directory for its configuration.
        server: the section `server` of its configuration.
        arguments: more of them for the command line.

    Raises:
        RuntimeError: it does not start.
    """
    return started(folder, {"server": server or {}}, *arguments)


def started(folder: Path, document: dict[str, object], *arguments: str) -> Target:
    """Starts a server with any configuration.

    Args:
        folder: an existing directory for it.
        document: the sections of its configuration.
        arguments: more of them for the command line.

    Raises:
        RuntimeError: it does not start.
    """
    number, name = tempfile.mkstemp(suffix=".log", dir=folder)
    config = Path(name).with_suffix(".yaml")
    config.write_text(HEAD + "".join(f"{section}: {json.dumps(held)}\n" for section, held in document.items()))
    command = [sys.executable, "-m", "typosentinel_server", "serve", "--port", "0", "--config", str(config), *arguments]
    process = subprocess.Popen(command, stderr=number, env={**os.environ, "NO_COLOR": "1"})
    os.close(number)
    written = Path(name)
    end = time.monotonic() + START_SECONDS
    while not written.read_text().endswith("\n") and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    first = written.read_text().partition("\n")[0]
    try:
        address = urlsplit(str(json.loads(first)["address"]))
    except (ValueError, KeyError) as error:
        process.kill()
        process.wait()
        raise RuntimeError(f"the server did not start: {written.read_text()}") from error
    return Target(process, address.hostname or "", address.port or 0, written)


@contextmanager
def target(folder: Path, server: dict[str, object] | None = None, *arguments: str) -> Iterator[Target]:
    """A server for as long as it is needed; arguments as in `launched`."""
    one = launched(folder, server, *arguments)
    try:
        yield one
    finally:
        one.stop()
