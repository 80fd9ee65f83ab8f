"""Errors that people see: each carries a code, a sentence, a way out and a hint for HTTP."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Self

SHOWN_CHARACTERS = 60


class DomainError(Exception):
    """Something that the caller can act on.

    Attributes:
        code: stable, upper case with underscores; clients may branch on it.
        message: one sentence saying what is wrong.
        suggestion: one sentence saying what to do about it.
        http_hint: the status that an HTTP rendering should take, 400 to 599.
        retry_after: seconds after which another try makes sense; None where time mends nothing.
    """

    http_hint = 400
    retry_after: int | None = None

    def __init__(self, code: str, message: str, suggestion: str, *, http_hint: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.suggestion = suggestion
        if http_hint is not None:
            self.http_hint = http_hint


class InvalidRequest(DomainError):
    """The request is no JSON, or not of the shape that the endpoint wants."""

    @classmethod
    def too_large(cls, limit: int) -> Self:
        """The body has more bytes than the endpoint takes."""
        return cls(
            "BODY_TOO_LARGE",
            f"the body is larger than {limit} bytes",
            "Send less in one request.",
            http_hint=413,
        )


class NameRefused(DomainError):
    """The text cannot be a package name in that registry, so there is nothing to judge."""

    http_hint = 422


class EcosystemUnknown(DomainError):
    """No ecosystem of that name exists, or this process does not serve it."""

    http_hint = 422


class MethodUnknown(DomainError):
    """No method of detection has that name."""

    http_hint = 404


class BenchmarkUnknown(DomainError):
    """No benchmark has that id here."""

    http_hint = 404


class RateLimited(DomainError):
    """The caller has used up what it is allowed for now; `retry_after` is None where a wait would not help."""

    http_hint = 429

    def __init__(self, code: str, message: str, suggestion: str, retry_after: int | None = None) -> None:
        super().__init__(code, message, suggestion)
        self.retry_after = retry_after


class TooBusy(DomainError):
    """There is as much to do already as this server takes on."""

    http_hint = 503
    retry_after = 5


class CorpusUnreadable(DomainError):
    """A list of popular names cannot be read; there is nothing to compare with."""

    http_hint = 503


class DataUnreadable(DomainError):
    """Labelled names cannot be read, or none of them can be judged."""


class ConfigurationInvalid(DomainError):
    """The configuration document is refused as a whole; the message names file, line and field."""

    http_hint = 500


class ServerUnreachable(DomainError):
    """The server named on the command line gave no usable answer."""

    http_hint = 502


def shown(text: str) -> str:
    """Text of unknown origin, safe to print: printable ASCII only, quoted, at most 60 characters of it."""
    cut = printable(text, SHOWN_CHARACTERS)
    return '"' + cut.encode("ascii", "backslashreplace").decode("ascii").replace('"', "'") + '"'


def printable(text: str, limit: int) -> str:
    """A text that cannot play tricks on a terminal: unprintable characters escaped, cut at the limit."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """A question naming the closest choice, with a trailing space; empty where none is close."""
    by_lower = {choice.lower(): choice for choice in choices}
    close = get_close_matches(word[:SHOWN_CHARACTERS].lower(), by_lower, n=1, cutoff=0.6)
    return f"Did you mean {by_lower[close[0]]}? " if close else ""
