"""One worker as the server sees it: a process that takes slices and gives the judgements back, in order."""

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from typing import Self

from typosentinel_server.engines import Engines
from typosentinel_server.workers.frames import unpacked
from typosentinel_server.workers.lists import shared
from typosentinel_server.workers.pipe import NotReached, Pipe, WorkerDied
from typosentinel_server.workers.slices import Answers, Asked

START_SECONDS = 30.0
PROGRAM = (sys.executable, "-P", "-m", "typosentinel_server.workers.process")


class Worker:
    """A process that judges with one set of engines as long as it lives.

    Args:
        transport: to the process.
        pipe: what goes to it and comes back.
        engines: whose lists it has.

    Attributes:
        pid: the number of its process.
        answered: when it last did, by the monotonic clock.
    """

    def __init__(self, transport: asyncio.SubprocessTransport, pipe: Pipe, engines: Engines) -> None:
        self._transport = transport
        self._pipe = pipe
        self.engines = engines
        self.pid = transport.get_pid()
        self.answered = 0.0

    @classmethod
    async def start(cls, engines: Engines) -> Self:
        """A new one that is ready. Raises WorkerDied where it does not become so, OSError where it cannot start."""
        with shared(engines) as files:
            numbers = sorted({n for file in files for n in (file.index, file.lexicon, file.elsewhere) if n is not None})
            transport, pipe = await asyncio.get_running_loop().subprocess_exec(
                Pipe,
                *PROGRAM,
                stderr=None,
                pass_fds=numbers,
                # A terminal's signals are for the server, which ends its workers itself.
                start_new_session=True,
            )
        worker = cls(transport, pipe, engines)
        try:
            await pipe.ask(files, START_SECONDS)
        except NotReached as error:
            await worker.stop()
            raise WorkerDied("ended at once") from error
        except BaseException:
            await worker.stop()
            raise
        return worker

    @property
    def ended(self) -> bool:
        """Whether the process has ended by itself."""
        return self._transport.get_returncode() is not None

    async def judge(self, asked: Sequence[Asked], batch: str | None, seconds: float) -> Answers:
        """The judgements of a slice. Another may be asked for meanwhile; after an error all that is left is to stop.

        Args:
            asked: the names.
            batch: the batch whose lines the answers are to be; None where results are wanted.
            seconds: how long it may take.

        Raises:
            WorkerDied: it ended, or was silent, while it was at this slice.
            NotReached: it did so before it came to this slice.
        """
        return unpacked(await self._pipe.ask((batch, asked), seconds))

    async def stop(self) -> None:
        """Ends the process, whatever it is at."""
        with contextlib.suppress(ProcessLookupError):
            self._transport.kill()
        await asyncio.shield(self._pipe.exited)
        self._transport.close()
