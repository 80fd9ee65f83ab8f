"""A real redis-server of the test's own."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import redis

START_SECONDS = 20.0


class RedisServer:
    """Started, killed, held and started again on one port of the loopback.

    Args:
        folder: for its log.
        options: further ones of redis-server, such as ("--maxmemory", "1mb").
        password: what it wants to hear first; None: nothing.
    """

    def __init__(self, folder: Path, *options: str, password: str | None = None) -> None:
        self.port = _free_port()
        self._log = folder / f"redis-{self.port}.log"
        self._options = options if password is None else (*options, "--requirepass", password)
        self._password = password
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is, without a password."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def client(self) -> "redis.Redis":
        """A plain client, to look in."""
        return redis.Redis(port=self.port, password=self._password, socket_timeout=5)

    def start(self) -> None:
        """Starts it and waits until it answers."""
        program = shutil.which("redis-server")
        assert program is not None, "redis-server is missing: make test-services installs it"
        options = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", *self._options)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([program, *options], stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with self.client as client:
                    client.ping()
                    return
            except redis.RedisError:
                assert time.monotonic() < deadline, self._log.read_text()
                assert self._process.poll() is None, self._log.read_text()
                time.sleep(0.02)

    def kill(self) -> None:
        """Ends it at once, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def hold(self) -> None:
        """Lets it take connections and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def release(self) -> None:
        """Ends a hold."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def empty(self) -> None:
        """Forgets everything."""
        with self.client as client:
            client.flushall()

    def stop(self) -> None:
        """Ends it, held or not."""
        self.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
