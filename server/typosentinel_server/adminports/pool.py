"""The pool of workers as the administrative routes want to see it."""

from typosentinel_server.adminports.ports import WorkerReport
from typosentinel_server.workers.pool import Pool


class PoolPort:
    """Looks after the pool.

    Args:
        pool: of worker processes.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def report(self) -> WorkerReport:
        """How it stands."""
        status = self._pool.status()
        return WorkerReport(
            min=status.least,
            max=status.most,
            busy=status.busy,
            idle=status.idle,
            starting=status.starting,
            queued=status.waiting,
            queue_limit=status.queue,
        )

    def scale(self, minimum: int, maximum: int) -> None:
        """Keeps between so many from now on. Raises InvalidRequest."""
        self._pool.scale(minimum, maximum)
