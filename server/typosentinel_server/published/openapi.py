"""An OpenAPI 3.1 document from a table of operations and the models that validate."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from typosentinel_server.problems import PROBLEM
from typosentinel_server.schemas import ErrorResponse, ProblemDetails

JSON: Final = "application/json"
REF: Final = "#/components/schemas/{model}"
Model = type[BaseModel]
Schema = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an operation answers with.

    Attributes:
        says: when, in a sentence.
        model: of the body, as JSON; None where the body is something else.
        other: further forms of the body, as media types; with no model the only ones.
        headers: that come along, out of HEADERS.
    """

    says: str
    model: Model | None = None
    other: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path.

    Attributes:
        method: in upper case.
        path: as the router has it, `{name}` for what varies.
        name: for programs, unique in the document.
        tag: under which it is shown.
        summary: in a few words.
        description: the rest that a caller should know.
        parameters: what varies in the path: schema and meaning by name.
        body: the model of the request's body.
        other_bodies: further forms that the body may have, as media types.
        examples: bodies by name.
        answers: by status, those that are no errors.
        errors: codes of errors by status, beside those that every operation has.
        public: whether it is open to everybody in a document whose operations otherwise want a key.
    """

    method: str
    path: str
    name: str
    tag: str
    summary: str
    description: str = ""
    parameters: Mapping[str, tuple[Schema, str]] = field(default_factory=dict)
    body: Model | None = None
    other_bodies: tuple[str, ...] = ()
    examples: Mapping[str, object] = field(default_factory=dict)
    answers: Mapping[int, Answer]
    errors: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    public: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a document says of the whole.

    Attributes:
        title: of the interface.
        version: of the server.
        description: in Markdown.
        tags: with their descriptions, in the order in which they are shown.
        security: the schemes, by name.
        required: whether a request without any of them is refused.
        errors: codes of errors that every operation may answer with, by status, beside REQUEST_ERRORS; those that are
            open to everybody only with the latter.
    """

    title: str
    version: str
    description: str
    tags: Mapping[str, str]
    security: Mapping[str, Schema]
    required: bool
    errors: Mapping[int, tuple[str, ...]]


# What any request may be refused for.
REQUEST_ERRORS: Final[Mapping[int, tuple[str, ...]]] = {
    400: ("MALFORMED_HTTP", "HOST_CONTRADICTED", "UNSUPPORTED_TRANSFER_ENCODING"),
    405: ("METHOD_NOT_ALLOWED",),
    408: ("REQUEST_TIMEOUT",),
    417: ("EXPECTATION_FAILED",),
    431: ("HEAD_TOO_LARGE",),
    500: ("INTERNAL_ERROR",),
    503: ("TOO_MANY_CONNECTIONS",),
}
# What any body may be refused for.
BODY_ERRORS: Final[Mapping[int, tuple[str, ...]]] = {
    400: ("BODY_EMPTY", "BODY_UNREADABLE", "MALFORMED_JSON", "CHUNKS_TOO_SMALL"),
    413: ("BODY_TOO_LARGE",),
    415: ("UNSUPPORTED_MEDIA_TYPE", "UNSUPPORTED_CONTENT_ENCODING"),
    422: ("INVALID_REQUEST",),
}
TEXT: Final[Schema] = {"type": "string"}
NUMBER: Final[Schema] = {"type": "integer", "minimum": 0}
HEADERS: Final[Mapping[str, tuple[str, Schema]]] = {
    "X-Request-ID": ("Id of the request, the caller's own where it sent a decent one.", TEXT),
    "X-Correlation-ID": ("The caller's own where it sent a decent one, else the id of the request.", TEXT),
    "X-Process-Time": ("Seconds that the answer took.", TEXT),
    "X-Served-By": ("Name of the server that answered.", TEXT),
    "Location": ("Where the result will be.", TEXT),
    "Allow": ("Methods that the path takes.", TEXT),
    "Retry-After": ("Seconds after which another try makes sense.", NUMBER),
    "WWW-Authenticate": ("How to show a token.", TEXT),
    "X-RateLimit-Limit": ("Requests in a window; only where limits are configured.", NUMBER),
    "X-RateLimit-Remaining": ("Requests that are left of it.", NUMBER),
    "X-RateLimit-Window": ("Length of the window in seconds.", NUMBER),
    "RateLimit-Policy": ("The limits that hold, as in the IETF's draft.", TEXT),
    "RateLimit": ("What is left of them.", TEXT),
}
LIMIT_HEADERS: Final = (
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Window",
    "RateLimit-Policy",
    "RateLimit",
)
# On every answer, and on errors of some statuses besides.
ALWAYS: Final = ("X-Request-ID", "X-Correlation-ID", "X-Process-Time", "X-Served-By")
OF_STATUS: Final[Mapping[int, tuple[str, ...]]] = {
    401: ("WWW-Authenticate",),
    405: ("Allow",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
# As RFC 9110 has them; Python's own change with its version.
PHRASES: Final[Mapping[int, str]] = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    417: "Expectation Failed",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
# The forms that an error comes in.
ERROR_FORMS: Final[Mapping[str, Model]] = {JSON: ErrorResponse, PROBLEM: ProblemDetails}


def document(head: Head, operations: Sequence[Operation]) -> bytes:
    """The document as JSON."""
    schemas = _Schemas(operations)
    errors = _Errors(schemas)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(head, operation, schemas, errors)
    return orjson.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": head.title, "version": head.version, "description": head.description},
            "servers": [{"url": "/"}],
            "tags": [{"name": name, "description": says} for name, says in head.tags.items()],
            "security": [] if head.required else [{}, *({name: []} for name in head.security)],
            "paths": paths,
            "components": {
                "schemas": schemas.definitions,
                "responses": errors.found,
                "securitySchemes": dict(head.security),
                "headers": {name: {"description": says, "schema": schema} for name, (says, schema) in HEADERS.items()},
            },
        }
        | ({"security": [{name: []} for name in head.security]} if head.required else {})
    )


class _Schemas:
    """The models of all bodies, by what they are called in the document."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        wanted: dict[tuple[Model, JsonSchemaMode], None] = {
            (model, "serialization"): None for model in ERROR_FORMS.values()
        }
        for operation in operations:
            if operation.body is not None:
                wanted[operation.body, "validation"] = None
            wanted |= {(a.model, "serialization"): None for a in operation.answers.values() if a.model is not None}
        found, whole = models_json_schema(list(wanted), by_alias=True, ref_template=REF)
        self._refs = dict(found)
        self.definitions: dict[str, Any] = whole.get("$defs", {})

    def of(self, model: Model, mode: JsonSchemaMode) -> Schema:
        """A reference to the model."""
        return self._refs[model, mode]


class _Errors:
    """Errors that operations may answer with; what several have in common stands in the document once."""

    def __init__(self, schemas: _Schemas) -> None:
        self._forms = {form: {"schema": schemas.of(model, "serialization")} for form, model in ERROR_FORMS.items()}
        self._names: dict[tuple[int, tuple[str, ...]], str] = {}
        self.found: dict[str, Schema] = {}

    def of(self, status: int, codes: tuple[str, ...]) -> Schema:
        """A reference to the errors of a status with these codes."""
        name = self._names.get((status, codes))
        if name is None:
            name = self._names[status, codes] = f"Error{status}-{len(self._names) + 1}"
            self.found[name] = {
                "description": f"{PHRASES[status]}: {', '.join(f'`{code}`' for code in codes)}",
                "headers": _headers((*ALWAYS, *OF_STATUS.get(status, ()))),
                "content": self._forms,
            }
        return {"$ref": f"#/components/responses/{name}"}


def _operation(head: Head, operation: Operation, schemas: _Schemas, errors: _Errors) -> Schema:
    found: Schema = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description or operation.summary,
        "parameters": [
            {"name": name, "in": "path", "required": True, "description": says, "schema": schema}
            for name, (schema, says) in operation.parameters.items()
        ],
    }
    if operation.body is not None:
        found["requestBody"] = {
            "required": True,
            "content": {
                JSON: {
                    "schema": schemas.of(operation.body, "validation"),
                    "examples": {name: {"value": value} for name, value in operation.examples.items()},
                },
                **{form: {"schema": TEXT} for form in operation.other_bodies},
            },
        }
    if operation.public and head.required:
        found["security"] = []
    found["responses"] = dict(_responses(head, operation, schemas, errors))
    return found


def _responses(head: Head, operation: Operation, schemas: _Schemas, errors: _Errors) -> Iterator[tuple[str, Schema]]:
    for status, answer in sorted(operation.answers.items()):
        content: dict[str, Schema] = {
            form: {"schema": {"type": "object" if form == JSON else "string"}} for form in answer.other
        }
        if answer.model is not None:
            content = {JSON: {"schema": schemas.of(answer.model, "serialization")}, **content}
        yield (
            str(status),
            {
                "description": answer.says,
                "headers": _headers((*ALWAYS, *answer.headers)),
                **({"content": content} if content else {}),
            },
        )
    for status, codes in sorted(errors_of(head, operation).items()):
        if status not in operation.answers:
            yield str(status), errors.of(status, codes)


def errors_of(head: Head, operation: Operation) -> dict[int, tuple[str, ...]]:
    """Codes of errors that an operation may answer with, by status."""
    found: dict[int, tuple[str, ...]] = {}
    of_body = BODY_ERRORS if operation.body is not None else {}
    for source in (REQUEST_ERRORS, {} if operation.public else head.errors, of_body, operation.errors):
        for status, codes in source.items():
            found[status] = tuple(dict.fromkeys((*found.get(status, ()), *codes)))
    return found


def _headers(names: Iterable[str]) -> Schema:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in dict.fromkeys(names)}
