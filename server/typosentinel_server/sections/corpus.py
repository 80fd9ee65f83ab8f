"""The part of the configuration document that says where lists of popular names come from."""

import re
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from typosentinel_server.durations import ALLOWED, parse_duration

MIN_INTERVAL: Final = 10.0
MAX_INTERVAL: Final = 7 * 24 * 3600.0
MAX_AGE: Final = 10 * 365 * 24 * 3600.0
SHA256: Final = re.compile(r"[0-9a-f]{64}")


def seconds(value: Any) -> float:
    """A duration in seconds, as pydantic wants to have it read. Raises ValueError."""
    if not isinstance(value, str):
        raise ValueError(f"a duration is {ALLOWED}")  # noqa: TRY004 - pydantic takes a ValueError
    return parse_duration(value)


class Section(BaseModel):
    """Base of all parts of the document: camelCase, frozen, unknown fields refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, alias_generator=to_camel, populate_by_name=False
    )


def _url(value: str) -> str:
    # Whatever urlsplit makes of odd texts, only these two schemes lead anywhere; a ValueError of its own is one, too.
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
        raise ValueError("it is no http:// or https:// address of a file")
    if "@" in parts.netloc:
        raise ValueError("an address in a configuration must not carry credentials")
    if not value.isascii() or not value.isprintable() or " " in value or parts.port == 0:
        raise ValueError("it is no http:// or https:// address of a file")
    return value


def _path(value: str) -> str:
    if not value.startswith("/") or "\0" in value:
        raise ValueError("a path here is absolute, such as /etc/typosentinel-corpus")
    return value


def _sha256(value: str) -> str:
    if not SHA256.fullmatch(value):
        raise ValueError("a SHA-256 is 64 hexadecimal digits in lower case")
    return value


Path = Annotated[str, Field(max_length=4096), AfterValidator(_path)]


class BuiltinSource(Section):
    """The lists that the package carries."""


class CorpusSource(Section):
    """Where lists come from: exactly one of these.

    Attributes:
        builtin: the package.
        directory: a directory of lists, such as a mounted ConfigMap.
        url: an archive made by `typosentinel corpus build`.
        sha256: the archive's hash; without it `<url>.sha256` is asked for.
    """

    builtin: BuiltinSource | None = None
    directory: Path | None = None
    url: Annotated[str, Field(max_length=2048), AfterValidator(_url)] | None = None
    sha256: Annotated[str, AfterValidator(_sha256)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [name for name in ("builtin", "directory", "url") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of builtin, directory, url; given: {', '.join(given) or 'none'}")
        if self.sha256 is not None and self.url is None:
            raise ValueError("sha256 belongs to url")
        return self


class CorpusSettings(Section):
    """Where lists come from, and how they are kept fresh.

    Attributes:
        source: where they come from.
        refresh_interval: seconds between two looks at the source.
        max_age: seconds from which a list counts as old; None: none is ever too old.
        max_loss_percent: a list that lost more of its names than this is refused; 100: none is.
        state_dir: where the last good download is kept over a restart; None: nowhere.
    """

    source: CorpusSource = CorpusSource(builtin=BuiltinSource())
    refresh_interval: Annotated[float, BeforeValidator(seconds), Field(ge=MIN_INTERVAL, le=MAX_INTERVAL)] = 6 * 3600.0
    max_age: Annotated[float, BeforeValidator(seconds), Field(ge=1.0, le=MAX_AGE)] | None = None
    max_loss_percent: Annotated[int, Field(ge=0, le=100)] = 50
    state_dir: Path | None = None


# What each field takes, in words: (what it is, what is allowed).
ALLOWED_VALUES: Final[dict[str, tuple[str, str]]] = {
    "corpus.refreshInterval": ("interval", f"{ALLOWED}, from 10s to 168h"),
    "corpus.maxAge": ("age", f"{ALLOWED}, from 1s on"),
    "corpus.maxLossPercent": ("share", "whole numbers 0 to 100"),
}
