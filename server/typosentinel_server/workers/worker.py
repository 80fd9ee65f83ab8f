"""One worker as the server sees it: a process that takes a slice and gives the judgements back."""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from typing import Self

from typosentinel_server.engines import Engines
from typosentinel_server.errors import DomainError
from typosentinel_server.scan.model import ScanResult
from typosentinel_server.workers.frames import LENGTH, MAX_BYTES, content_of, frame, unpacked
from typosentinel_server.workers.lists import shared
from typosentinel_server.workers.slices import Answer, Asked

START_SECONDS = 30.0
PROGRAM = (sys.executable, "-P", "-m", "typosentinel_server.workers.process")


class WorkerDied(DomainError):
    """A worker ended, or said nothing for too long, before it had answered."""

    http_hint = 500

    def __init__(self, why: str) -> None:
        super().__init__(
            "WORKER_DIED",
            f"the process that judged this name {why}",
            "Ask for this name by itself; if that fails, too, report it.",
        )


class Worker:
    """A process that judges with one set of engines as long as it lives.

    Args:
        process: it, ready to take slices.
        engines: whose lists it has.
    """

    def __init__(self, process: asyncio.subprocess.Process, engines: Engines) -> None:
        self._process = process
        self.engines = engines

    @classmethod
    async def start(cls, engines: Engines) -> Self:
        """A new one that is ready. Raises WorkerDied where it does not become so, OSError where it cannot start."""
        with shared(engines) as files:
            numbers = sorted({n for file in files for n in (file.index, file.lexicon, file.elsewhere) if n is not None})
            process = await asyncio.create_subprocess_exec(
                *PROGRAM,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                pass_fds=numbers,
                # A terminal's signals are for the server, which ends its workers itself.
                start_new_session=True,
            )
        worker = cls(process, engines)
        try:
            await worker._exchange(files, START_SECONDS)
        except BaseException:
            await worker.stop()
            raise
        return worker

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the process has ended by itself."""
        return self._process.returncode is not None

    async def judge(
        self, asked: Sequence[Asked], seconds: float, *, as_json: bool
    ) -> list[Answer] | list[ScanResult | Answer]:
        """The judgements of a slice. After an error, or a cancellation, it can only be stopped.

        Args:
            asked: the names.
            seconds: how long it may take.
            as_json: whether the answers are wanted as they are sent, or as results to conclude from.

        Raises:
            WorkerDied: there will be no answer.
        """
        return unpacked(await self._exchange((as_json, asked), seconds))

    async def stop(self) -> None:
        """Ends the process, whatever it is at."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        # What it still says has to be read, for else the wait would not end.
        with contextlib.suppress(OSError):
            await self._process.communicate()

    async def _exchange(self, content: object, seconds: float) -> list[Answer]:
        source, sink = self._process.stdout, self._process.stdin
        if source is None or sink is None:
            raise WorkerDied("has no pipes")
        try:
            async with asyncio.timeout(seconds):
                sink.write(frame(content))
                await sink.drain()
                (length,) = LENGTH.unpack(await source.readexactly(LENGTH.size))
                if length > MAX_BYTES:
                    raise WorkerDied("said what nobody understands")
                found: list[Answer] = content_of(await source.readexactly(length))
                return found
        except TimeoutError as error:
            raise WorkerDied(f"said nothing for {seconds:g} s") from error
        except (OSError, EOFError) as error:
            raise WorkerDied("ended") from error
