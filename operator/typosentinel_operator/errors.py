"""The operator's errors: two that decide about retries, and what the cluster may answer.

No exception of a client library leaves `cluster.py`; a test says so.
"""


class OperatorError(Exception):
    """Base of all errors that the operator raises on purpose."""


class Transient(OperatorError):
    """Something that may go right by itself: the key is tried again.

    Args:
        message: what went wrong, for the log.
        retry_after: seconds the other side asked us to wait, or None for our own backoff.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Permanent(OperatorError):
    """Something that stays wrong until somebody changes an object: it becomes a condition.

    Args:
        reason: a constant of `names.Reason`.
        message: a sentence that says what to do.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class ClusterError(Transient):
    """The API server could not be reached or answered with an error that may pass.

    Args:
        message: the server's own words where there are any.
        status: HTTP status, or None where no answer came.
        retry_after: seconds from a Retry-After header, or None.
    """

    def __init__(self, message: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.status = status


class Refused(ClusterError):
    """The API server refuses this object as it is (400, 403, 422, and its 500 for an unknown field)."""


class Conflict(ClusterError):
    """Somebody else changed or replaced the object in between (409)."""


class Superseded(Transient):
    """What was to be done rests on an object that has changed since: look again."""


class LeadershipLost(OperatorError):
    """Another operator may lead from now on: this process must not write any more, and ends."""


class WatchFailed(OperatorError):
    """A watch ended in a way that kopf does not mend: this process sees nothing more, and ends."""


class SettingsError(OperatorError):
    """The process's settings can't be used; the message names the variable and what it takes."""


class BadReview(OperatorError):
    """What was sent to the webhook is no AdmissionReview of ours; the message says in which field."""


class UnusableCertificate(OperatorError):
    """The webhook's certificate can't be used; the message says why."""
