"""A real redis-server of one's own, to be killed, held, wiped and filled."""

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
        """Starts it and waits until it answers. Raises RuntimeError where it does not."""
        program = shutil.which("redis-server")
        if program is None:
            raise RuntimeError("redis-server is missing: python -m hack.programs redis-server installs it")
        options = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", *self._options)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([program, *options], stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with self.client as client:
                    client.ping()
                    return
            except redis.RedisError as error:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise RuntimeError(self._log.read_text()) from error
                time.sleep(0.02)

    def kill(self) -> None:
        """Ends it at once, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def hold(self) -> None:
        """Lets it take connections and answer nothing."""
        self._signal(signal.SIGSTOP)

    def release(self) -> None:
        """Ends a hold."""
        self._signal(signal.SIGCONT)

    def empty(self) -> None:
        """Forgets everything."""
        with self.client as client:
            client.flushall()

    def forget(self) -> None:
        """Forgets everything, scripts included: as one that was started anew."""
        with self.client as client:
            client.flushall()
            client.script_flush()

    def fill(self) -> None:
        """Refuses all that takes memory from now on."""
        with self.client as client:
            client.config_set("maxmemory", "1")

    def widen(self) -> None:
        """Takes whatever comes again."""
        with self.client as client:
            client.config_set("maxmemory", "0")

    def stop(self) -> None:
        """Ends it, held or not."""
        self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise RuntimeError("it does not run")
        self._process.send_signal(number)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
