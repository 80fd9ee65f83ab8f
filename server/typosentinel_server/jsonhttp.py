"""JSON in, JSON out: what the views share."""

from aiohttp import web

from typosentinel_server.answer import Answer
from typosentinel_server.errors import InvalidRequest

# nginx' number for it; nobody reads the answer, but it is counted.
CLIENT_GONE = 499


async def json_body(request: web.Request) -> bytes:
    """The bytes of a body that is declared as JSON. Raises InvalidRequest."""
    if request.content_type != "application/json":
        raise InvalidRequest(
            "UNSUPPORTED_MEDIA_TYPE",
            "the body is not declared as JSON",
            "Send the header Content-Type: application/json.",
            http_hint=415,
        )
    try:
        # Nearly always all of it came along with the head.
        content = request.content
        body = content.read_nowait()
        if not content.at_eof():
            body += await request.read()
    except web.RequestPayloadError as error:
        raise InvalidRequest(
            "BODY_UNREADABLE",
            "the body is not encoded as its headers say",
            "Check Content-Encoding and Transfer-Encoding, or leave them out.",
        ) from error
    except ConnectionError as error:
        raise InvalidRequest(
            "CLIENT_GONE",
            "the client hung up before its body was complete",
            "Send the whole body.",
            http_hint=CLIENT_GONE,
        ) from error
    if len(body) > request.client_max_size:
        raise InvalidRequest.too_large(request.client_max_size)
    return body


def json_answer(text: str, status: int = 200) -> Answer:
    """An answer whose body is this JSON."""
    return Answer(text.encode(), status)
