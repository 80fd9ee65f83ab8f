"""What a caller may tell of a package along with a question, as JSON: each field checked by itself."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from typosentinel_server.scan.context.metadata import Facts, Metadata, repository_owner
from typosentinel_server.wirenumbers import WHOLE

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
FIRST_PACKAGE = date(1990, 1, 1)
MAX_DOWNLOADS = 10**12
MAX_MAINTAINERS = 200


def _day(value: Any) -> date:
    try:
        # The standard knows further spellings, which other readers of the same JSON would not take.
        found = date.fromisoformat(value if DAY.fullmatch(value) else "")
    except (TypeError, ValueError) as error:
        raise ValueError("a day is written 2019-05-31") from error
    if found < FIRST_PACKAGE:
        raise ValueError(f"no package is older than {FIRST_PACKAGE}")
    return found


def _of_an_owner(value: str) -> str:
    if repository_owner(value) is None:
        raise ValueError("a repository is an address with an owner, such as https://github.com/owner/name")
    return value


class FactsBody(BaseModel):
    """What the caller knows of a package."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel, populate_by_name=True, frozen=True)

    first_release: Annotated[date, BeforeValidator(_day)] | None = None
    downloads: Annotated[int, Field(ge=0, le=MAX_DOWNLOADS), WHOLE] | None = None
    maintainers: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]], Field(max_length=MAX_MAINTAINERS)
    ] = []
    repository: (
        Annotated[
            str, Field(max_length=500, json_schema_extra={"format": "uri-reference"}), AfterValidator(_of_an_owner)
        ]
        | None
    ) = None

    def facts(self) -> Facts:
        """The same for the scanning core."""
        return Facts(self.first_release, self.downloads, frozenset(self.maintainers), self.repository)


class TargetBody(FactsBody):
    """What the caller knows of the package that the one in question may be confused with."""

    name: Annotated[str, Field(min_length=1, max_length=300)]


class MetadataBody(FactsBody):
    """What the caller knows of the package in question."""

    target: TargetBody | None = None

    def metadata(self) -> Metadata:
        """The same for the scanning core."""
        if self.target is None:
            return Metadata(self.facts())
        return Metadata(self.facts(), self.target.facts(), self.target.name)
