"""Types of fields that the three kinds share: durations, quantities, references, conditions.

Each carries what the CRD says of it, so that `kubectl explain` and our own parsing can't disagree.
"""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

# Gateway API's GEP-2257: what Go's time.ParseDuration takes, less signs, fractions and tiny units.
DURATION_PATTERN: Final = r"^([0-9]{1,5}(h|m|s|ms)){1,4}$"
# Kubernetes' quantities less exponents and what is finer than a thousandth, which the API server would round up.
QUANTITY_PATTERN: Final = r"^([0-9]+m|[0-9]+(\.[0-9]{1,3})?([kMGTPE]|[KMGTPE]i)?)$"
SUBDOMAIN_PATTERN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
# A host name or IPv4 address, perhaps a port, and a path, all of it printable ASCII: what every side reads alike.
URL_PATTERN: Final = (
    r"^https?://[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?"
    r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?/[!\"$-~]*$"
)
SHA256_PATTERN: Final = r"^[0-9a-f]{64}$"
# Whole bytes: a quantity without fractions and thousandths.
SIZE_PATTERN: Final = r"^[0-9]{1,15}([kMG]|[KMG]i)?$"
# A key of a Secret's data, as Kubernetes has it; no path leads out of it.
DATA_KEY_PATTERN: Final = r"^[-._a-zA-Z0-9]+$"
DNS_LABEL_PATTERN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


class Model(BaseModel):
    """Base of all API models: camelCase outside, frozen, unknown fields refused."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
    )


# OSV's spelling of those that the server has a list for; a contract test holds this against it.
Ecosystem = Literal["PyPI", "npm", "crates.io", "RubyGems", "NuGet", "Go", "Maven"]
# A duration of whole seconds.
SECONDS_PATTERN: Final = r"^([0-9]{1,5}(h|m|s)){1,3}$"
# Names of packages have other letters in every ecosystem; none has blanks or control characters.
PackageName = Annotated[str, Field(pattern=r"^[!-~]+$", min_length=1, max_length=214)]
Duration = Annotated[str, Field(pattern=DURATION_PATTERN, min_length=2, max_length=32)]
WholeSeconds = Annotated[str, Field(pattern=SECONDS_PATTERN, min_length=2, max_length=32)]
Quantity = Annotated[
    str | int,
    Field(json_schema_extra={"x-kubernetes-int-or-string": True, "pattern": QUANTITY_PATTERN, "maxLength": 32}),
]
Size = Annotated[
    str | int,
    Field(json_schema_extra={"x-kubernetes-int-or-string": True, "pattern": SIZE_PATTERN, "maxLength": 32}),
]
ObjectName = Annotated[str, Field(pattern=DNS_LABEL_PATTERN, min_length=1, max_length=63)]


def rules(*given: tuple[str, str]) -> dict[str, Any]:
    """CEL rules with what they say to a user whom they refuse."""
    return {"x-kubernetes-validations": [{"rule": rule, "message": message} for rule, message in given]}


def map_list(*keys: str) -> dict[str, Any]:
    """A list whose items are told apart by these fields, so that two users can each have their own."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


def between(field: str, least: str, most: str) -> tuple[str, str]:
    """The rule for a duration within bounds, both included."""
    within = f"duration(self.{field}) >= duration('{least}') && duration(self.{field}) <= duration('{most}')"
    return f"!has(self.{field}) || ({within})", f"{field} must be between {least} and {most}"


def sized(field: str, least: str, most: str) -> tuple[str, str]:
    """The rule for a size within bounds, both included."""
    size = f"quantity(string(self.{field}))"
    within = f"{size}.compareTo(quantity('{least}')) >= 0 && {size}.compareTo(quantity('{most}')) <= 0"
    return f"!has(self.{field}) || ({within})", f"{field} must be between {least} and {most}"


Network = Annotated[
    str,
    Field(
        min_length=4,
        max_length=43,
        json_schema_extra=rules(
            (
                "isCIDR(self) && cidr(self) == cidr(self).masked()",
                "give a network in CIDR notation without bits behind the prefix, such as 10.0.0.0/8",
            )
        ),
    ),
]
Networks = Annotated[list[Network], Field(max_length=32, json_schema_extra={"x-kubernetes-list-type": "set"})]


def seconds(duration: str) -> float:
    """Length of a duration such as ``1h30m`` in seconds; the caller has checked the pattern."""
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|h|m|s)", duration))


class PolicyReference(Model):
    """A policy in the same namespace."""

    name: ObjectName
    """Name of the object referred to, in the same namespace."""


class ConfigMapReference(Model):
    """A ConfigMap in the same namespace."""

    name: Annotated[str, Field(pattern=SUBDOMAIN_PATTERN, min_length=1, max_length=253)]
    """Name of the ConfigMap, in the same namespace."""


class SecretKeyReference(Model):
    """A key of a Secret in the same namespace."""

    name: Annotated[str, Field(pattern=SUBDOMAIN_PATTERN, min_length=1, max_length=253)]
    """Name of the Secret, in the same namespace. It is mounted into the pods, and the operator never reads it."""
    key: Annotated[str, Field(pattern=DATA_KEY_PATTERN, min_length=1, max_length=253)]
    """Key of the Secret's data."""


class ConditionStatus(Model):
    """One aspect of the object's state, as metav1.Condition."""

    type: Annotated[str, Field(min_length=1, max_length=316)]
    """Type of the condition, in CamelCase."""
    status: Literal["True", "False", "Unknown"]
    """Whether the condition holds."""
    reason: Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")]
    """Why, as one CamelCase word that programs may compare."""
    message: Annotated[str, Field(max_length=32768)]
    """Why, as a sentence for people."""
    last_transition_time: Annotated[str, Field(json_schema_extra={"format": "date-time"})]
    """When the status last changed from one value to another."""
    observed_generation: Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})] | None = None
    """Generation of the spec that this condition speaks of."""


Conditions = Annotated[
    list[ConditionStatus],
    Field(json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}),
]
ObservedGeneration = Annotated[int, Field(json_schema_extra={"format": "int64"})]
