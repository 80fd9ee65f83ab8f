"""What is refused at the edge, and in which words."""

from collections.abc import Mapping
from typing import Final, Protocol
from urllib.parse import urlsplit

from typosentinel_server.errors import DomainError, InvalidRequest, TooBusy, shown

MAX_HEAD_BYTES: Final = 16 * 1024
MAX_HEADERS: Final = 100
# What the library unpacks while it reads, a step at a time.
ENCODINGS: Final = ("gzip", "deflate", "zstd")
# These many bytes may be wrapping before it is looked at how much of a body is.
CHUNK_SLACK: Final = 128 * 1024
WRAPPED: Final = 2
CONTENT_ENCODING: Final = "Content-Encoding"


class Head(Protocol):
    """What is looked at of a request's head."""

    @property
    def path(self) -> str:
        """The target in the request line."""

    @property
    def version(self) -> tuple[int, int]:
        """The version of HTTP."""

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers; names in any case."""

    @property
    def raw_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The headers as they came, in their order."""


class ConnectionRefused(TooBusy):
    """There are as many connections open as this server takes on."""

    retry_after = 1


def objection(method: str, head: Head) -> DomainError | None:
    """Why a request whose head looks odd is refused; None: it is odd, and right."""
    if CONTENT_ENCODING in head.headers:
        given = [value.decode("latin-1") for name, value in head.raw_headers if name.lower() == b"content-encoding"]
        if len(given) != 1 or given[0].lower() not in (*ENCODINGS, "identity"):
            return encoding_unknown(", ".join(given))
    if head.chunked and (head.version < (1, 1) or head.headers.get("Transfer-Encoding", "").lower() != "chunked"):
        return InvalidRequest(
            "UNSUPPORTED_TRANSFER_ENCODING",
            "Transfer-Encoding asks for more than chunks, or comes with a version of HTTP that has none",
            "Send Transfer-Encoding: chunked alone and with HTTP/1.1, or a Content-Length.",
        )
    if method == "CONNECT":
        return DomainError("METHOD_NOT_ALLOWED", "this is no proxy", "Ask this server itself.", http_hint=405)
    if head.path[:1] != "/" and head.path != "*" and not _same_host(head):
        return InvalidRequest(
            "HOST_CONTRADICTED",
            "the request line names another host than the header Host",
            "Send the path alone in the request line, or the same host in both.",
        )
    return None


def encoding_unknown(given: str) -> DomainError:
    """A body is packed in a way, or in more ways than one, that is not unpacked here."""
    return InvalidRequest(
        "UNSUPPORTED_CONTENT_ENCODING",
        f"a body encoded as {shown(given)} is not read here",
        f"Send it plain, or in one of {', '.join(ENCODINGS)}.",
        http_hint=415,
    )


def head_too_slow(timeout: float) -> DomainError:
    """A request line and its headers took too long."""
    return InvalidRequest(
        "REQUEST_TIMEOUT",
        f"the head of the request was not complete after {timeout:g} s",
        "Send request line and headers at once.",
        http_hint=408,
    )


def body_too_slow() -> DomainError:
    """A body took too long."""
    return InvalidRequest(
        "REQUEST_TIMEOUT",
        "the body came too slowly",
        "Send it at once, or in parts that keep coming.",
        http_hint=408,
    )


def head_too_large() -> DomainError:
    """A request line and its headers are too long together."""
    return InvalidRequest(
        "HEAD_TOO_LARGE",
        f"request line and headers have more than {MAX_HEAD_BYTES} bytes together",
        "Send fewer or shorter headers.",
        http_hint=431,
    )


def chunks_too_small() -> DomainError:
    """A body is cut into so many chunks that most of what is sent is their wrapping."""
    return InvalidRequest(
        "CHUNKS_TOO_SMALL",
        "the body is cut into so many chunks that there is more wrapping than body",
        "Send larger chunks, or a Content-Length.",
    )


def too_many_connections() -> DomainError:
    """There is no place for another connection."""
    return ConnectionRefused(
        "TOO_MANY_CONNECTIONS",
        "as many connections are open as this server takes",
        "Try again, and keep connections open for more than one request.",
    )


def weight(head: Head) -> int:
    """Bytes of a request line and its headers, about."""
    return len(head.path) + sum(len(name) + len(value) + 4 for name, value in head.raw_headers)


def mostly_wrapping(sent: int, got: int) -> bool:
    """Whether so many bytes were sent for so little of a body that it must be chunks of next to nothing."""
    return sent > CHUNK_SLACK + WRAPPED * got


def _same_host(head: Head) -> bool:
    try:
        named = urlsplit(head.path).netloc
    except ValueError:
        return False
    return named.lower() == head.headers.get("Host", "").lower()
