"""Keys of known callers, as a file holds them: the name, the key's SHA-256, and limits of its own if wanted.

The keys themselves are nowhere. They are long and random, so that a plain hash tells nobody what they are.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from typosentinel_server.document import parse_document
from typosentinel_server.errors import ConfigurationInvalid, shown
from typosentinel_server.ratelimit.policy import Endpoint, Rule
from typosentinel_server.sections.corpus import Section
from typosentinel_server.sections.limits import EndpointLimits, RuleSettings

MAX_BYTES: Final = 2**20
MAX_MISTAKES: Final = 20
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
Rules = Mapping[Endpoint, Rule]


class OwnLimits(Section):
    """Limits in place of the general ones.

    Attributes:
        default: for all routes of the API together that have none of their own.
        endpoints: by class of routes.
    """

    default: RuleSettings | None = None
    endpoints: EndpointLimits = EndpointLimits()


class KeyEntry(Section):
    """One caller.

    Attributes:
        sha256: of the key, 64 hexadecimal digits in lower case.
        limits: in place of the general ones.
    """

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    limits: OwnLimits = OwnLimits()


class KeyDocument(Section):
    """The file.

    Attributes:
        api_version: of the form.
        kind: what it is.
        keys: callers by name.
    """

    api_version: Literal["typosentinel.io/v1alpha1"]
    kind: Literal["ApiKeys"]
    keys: dict[str, KeyEntry]


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """Callers that are known.

    Attributes:
        by_digest: their names by the SHA-256 of their keys.
        rules: limits of their own, by name.
    """

    by_digest: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, Rules] = field(default_factory=dict)


def rules_of(default: RuleSettings | None, endpoints: EndpointLimits) -> dict[Endpoint, Rule]:
    """Limits by class of routes."""
    given = {Endpoint.DEFAULT: default, Endpoint.SCAN: endpoints.scan, Endpoint.BATCH: endpoints.batch}
    return {
        endpoint: Rule(rule.requests, rule.window, rule.burst or rule.requests)
        for endpoint, rule in given.items()
        if rule is not None
    }


def parse_api_keys(content: bytes, where: str) -> ApiKeys:
    """Keys from the bytes of a document.

    Raises:
        ConfigurationInvalid: with one line `file:line: field: what is wrong` for each of the first 20 mistakes.
    """
    document = parse_document(content, where, MAX_BYTES)
    mistakes: list[tuple[tuple[str | int, ...], str]] = []
    keys: dict[str, KeyEntry] = {}
    try:
        keys = KeyDocument.model_validate(document.content).keys
    except ValidationError as error:
        mistakes = [_mistake(detail) for detail in error.errors(include_url=False, include_input=False)]
    by_digest: dict[str, str] = {}
    for name, entry in keys.items():
        if not NAME.fullmatch(name):
            mistakes.append((("keys", name), "a name is 1 to 63 letters, digits, dots, hyphens and underscores"))
        if entry.sha256 in by_digest:
            mistakes.append((("keys", name), f"this is the key of {by_digest[entry.sha256]}, too"))
        by_digest[entry.sha256] = name
    if mistakes:
        told = [
            f"{where}:{document.line_of(place)}: {'.'.join(_part(part) for part in place) or 'document'}: {what}"
            for place, what in mistakes[:MAX_MISTAKES]
        ]
        raise ConfigurationInvalid("LIST_INVALID", "\n".join(told), "Correct the file; nothing of it was applied.")
    rules = {name: rules_of(entry.limits.default, entry.limits.endpoints) for name, entry in keys.items()}
    return ApiKeys(by_digest, {name: own for name, own in rules.items() if own})


def _mistake(detail: Any) -> tuple[tuple[str | int, ...], str]:
    # What was given is not shown: somebody may have put the key itself there.
    if detail["loc"][-1:] == ("sha256",) and detail["type"] != "missing":
        return detail["loc"], "this is no SHA-256: 64 hexadecimal digits in lower case"
    message = str(detail["msg"]).removeprefix("Value error, ")
    return detail["loc"], message[:1].lower() + message[1:]


def _part(part: str | int) -> str:
    return shown(part)[1:-1] if isinstance(part, str) else str(part)
