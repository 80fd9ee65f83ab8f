"""One server process as its supervisor sees it."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Sequence
from typing import Self

from typosentinel_server.processes.channel import Channel
from typosentinel_server.processes.exposition import Families, cumulative, heard


class Member:
    """A process that serves.

    Args:
        process: it.
        channel: to it.
        gather: gives it the metrics of all.
    """

    def __init__(
        self, process: asyncio.subprocess.Process, channel: Channel, gather: "Callable[[Member], None]"
    ) -> None:
        self._process = process
        self._channel = channel
        self._gather = gather
        self._said = asyncio.Condition()
        self._words: set[str] = set()
        self._told: asyncio.Future[Families] | None = None
        self._over = False
        self.seen: Families = {}
        self.ended = asyncio.create_task(self._hear(), name=f"process {process.pid}")

    @classmethod
    async def start(cls, program: Sequence[str], gather: "Callable[[Member], None]") -> Self:
        """A new process, told the number of its end of the channel. Raises OSError."""
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.create_subprocess_exec(
                *program,
                f"--supervised={theirs.fileno()}",
                pass_fds=(theirs.fileno(),),
                # A terminal's signals are for the supervisor, which passes them on.
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)  # noqa: FBT003 - the library takes it so
        return cls(process, await Channel.over(ours), gather)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def listening(self) -> bool:
        """Whether it takes requests."""
        return "listening" in self._words and not self.ended.done()

    def send(self, word: str, text: str = "") -> None:
        """Tells it something."""
        self._channel.send(word, text=text)

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal, where it is still there."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def until(self, word: str) -> bool:
        """Waits for it to say something; False where it ended before."""
        async with self._said:
            await self._said.wait_for(lambda: word in self._words or self._over)
            return word in self._words

    async def tell(self, seconds: float) -> bool:
        """Asks for its metrics; whether it answered in time. They are in `seen`."""
        if self._told is None or self._told.done():
            self._told = asyncio.get_running_loop().create_future()
            self._channel.send("tell")
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(self._told)
        except TimeoutError:
            return False
        return True

    def left(self) -> Families:
        """What stays of its metrics when it has ended."""
        return cumulative(self.seen)

    async def _hear(self) -> int:
        """Hears it out; returns its exit code."""
        while (message := await self._channel.receive()) is not None:
            word = message["word"]
            if word == "told":
                self.seen = heard(message["families"])
                if self._told is not None and not self._told.done():
                    self._told.set_result(self.seen)
            elif word == "gather":
                self._gather(self)
            else:
                await self._say(word)
        self._over = True
        await self._say("")
        self._channel.close()
        return await self._process.wait()

    async def _say(self, word: str) -> None:
        async with self._said:
            self._words.add(word)
            self._said.notify_all()
