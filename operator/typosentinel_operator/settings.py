"""Process settings from the environment: validated whole, frozen, then used."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from typosentinel_operator import names
from typosentinel_operator.errors import SettingsError

PREFIX = "TYPOSENTINEL_"

# Requirements as kubectl's --selector takes them: key, !key, key=value, key!=value, key in (a,b), key notin (a,b).
_KEY = r"[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?"
_VALUE = r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_SET = rf"\(\s*{_VALUE}\s*(,\s*{_VALUE}\s*)*\)"
_REQUIREMENT = rf"\s*(!\s*{_KEY}|{_KEY}(\s*(==?|!=)\s*{_VALUE}|\s+(in|notin)\s*{_SET})?)\s*"
SELECTOR = re.compile(rf"({_REQUIREMENT}(,{_REQUIREMENT})*)?")


class Settings(BaseModel):
    """What one operator process is told from outside.

    Each field is read from the environment variable ``TYPOSENTINEL_<FIELD IN CAPITALS>``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    server_image: Annotated[str, Field(min_length=1, pattern=r"^\S+$")]
    """Image of the scanning service for every ScanService that names none; full name with tag."""
    watch_namespaces: tuple[str, ...] = ()
    """Namespaces to watch, comma-separated; empty: all of them."""
    selector: Annotated[str, Field(max_length=1024)] = ""
    """Label selector of the custom resources to look after, e.g. team in (a,b); empty: all. For several operators."""
    resync_seconds: Annotated[float, Field(ge=5, le=3600)] = 30.0
    """How often every object is looked at again, in seconds, to heal what a watch missed."""
    workers: Annotated[int, Field(ge=1, le=64)] = 16
    """How many objects are reconciled at the same time."""
    request_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0
    """Time allowed to one request to the API server, in seconds."""
    scrape_timeout_seconds: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Time allowed to one question to a scanner pod, in seconds."""
    probe_host: str = "0.0.0.0"
    """Address of /livez, /readyz and /metrics."""
    probe_port: Annotated[int, Field(ge=0, le=65535)] = 8081
    """Port of /livez, /readyz and /metrics; 0 takes a free one."""
    leader_election: bool = True
    """Whether to lead by a Lease, or to write without asking, as is right for one operator that runs by hand."""
    pod_name: str = ""
    """Name of the operator's pod, by which it holds the Lease; needed for the election."""
    pod_namespace: str = ""
    """Namespace of the operator's pod and of the Lease; needed for the election."""
    lease_name: Annotated[str, Field(min_length=1, max_length=253)] = "typosentinel-operator"
    """Name of the Lease: one for all replicas of a release, and no other release's."""
    lease_duration_seconds: Annotated[int, Field(ge=2, le=600)] = 15
    """How long others wait for a leader that is silent, in whole seconds."""
    renew_deadline_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    """How long a leader that can't renew the Lease goes on, in seconds; less than others wait."""
    retry_period_seconds: Annotated[float, Field(ge=0.1, le=600)] = 2.0
    """Time between two looks at the Lease, and between two renewals, in seconds."""
    webhook_configuration: str = ""
    """Name of the ValidatingWebhookConfiguration whose certificates this operator makes; empty: somebody else does."""
    webhook_secret: Annotated[str, Field(max_length=253)] = ""
    """Name of the Secret for these certificates, in the operator's own namespace."""
    webhook_hosts: tuple[str, ...] = ()
    """Names and addresses at which the webhook is reached, comma-separated."""
    log_format: Literal["json", "console"] = "json"
    """How log lines are written."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe level that is logged."""

    @field_validator("selector")
    @classmethod
    def _selector_can_be_read(cls, value: str) -> str:
        if not SELECTOR.fullmatch(value):
            message = "is no label selector; it takes what kubectl's --selector takes, for instance team in (a,b)"
            raise ValueError(message)
        return value.strip()

    @model_validator(mode="after")
    def _certificates_have_a_place_and_names(self) -> Self:
        if self.webhook_configuration and not (self.webhook_secret and self.webhook_hosts and self.pod_namespace):
            message = (
                "TYPOSENTINEL_WEBHOOK_CONFIGURATION needs TYPOSENTINEL_WEBHOOK_SECRET, TYPOSENTINEL_WEBHOOK_HOSTS and "
                "TYPOSENTINEL_POD_NAMESPACE beside it (the chart sets them)"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _scrape_fits_into_a_resync(self) -> Self:
        if self.scrape_timeout_seconds * 2 > self.resync_seconds:
            message = "TYPOSENTINEL_SCRAPE_TIMEOUT_SECONDS must be at most half of TYPOSENTINEL_RESYNC_SECONDS"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _writing_ends_before_another_may_lead(self) -> Self:
        if not self.lease_duration_seconds > self.renew_deadline_seconds > self.retry_period_seconds:
            message = (
                "TYPOSENTINEL_LEASE_DURATION_SECONDS must be more than TYPOSENTINEL_RENEW_DEADLINE_SECONDS, and that "
                "more than TYPOSENTINEL_RETRY_PERIOD_SECONDS"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _who_is_elected_has_a_name(self) -> Self:
        if self.leader_election and not (self.pod_name and self.pod_namespace):
            message = (
                "TYPOSENTINEL_POD_NAME and TYPOSENTINEL_POD_NAMESPACE are needed to elect a leader (the chart sets "
                "them); a single operator by hand runs with TYPOSENTINEL_LEADER_ELECTION=false"
            )
            raise ValueError(message)
        return self


class WebhookSettings(BaseModel):
    """What one process of the admission webhook is told from outside, likewise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    watch_namespaces: tuple[str, ...] = ()
    """Namespaces whose objects are judged, comma-separated; empty: all of them."""
    webhook_host: str = "0.0.0.0"
    """Address at which reviews are answered."""
    webhook_port: Annotated[int, Field(ge=0, le=65535)] = 9443
    """Port at which reviews are answered, by TLS; 0 takes a free one."""
    webhook_directory: Annotated[str, Field(min_length=1)] = names.WEBHOOK_DIRECTORY
    """Directory with tls.crt and tls.key; what changes in it is taken up."""
    webhook_timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 3.0
    """Time for one review, in seconds; less than the API server waits. What is not known by then is let through."""
    webhook_drain_seconds: Annotated[float, Field(ge=0, le=60)] = 5.0
    """How long reviews are answered after the signal to stop, in seconds."""
    probe_host: str = "0.0.0.0"
    """Address of /livez, /readyz and /metrics."""
    probe_port: Annotated[int, Field(ge=0, le=65535)] = 8081
    """Port of /livez, /readyz and /metrics; 0 takes a free one."""
    log_format: Literal["json", "console"] = "json"
    """How log lines are written."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe level that is logged."""


Read = TypeVar("Read", Settings, WebhookSettings)


def load(environment: Mapping[str, str]) -> Settings:
    """Read the operator's settings from environment variables.

    Raises:
        SettingsError: one sentence per wrong variable.
    """
    return _load(Settings, environment)


def load_webhook(environment: Mapping[str, str]) -> WebhookSettings:
    """Read the webhook's settings from environment variables.

    Raises:
        SettingsError: one sentence per wrong variable.
    """
    return _load(WebhookSettings, environment)


def _load(model: type[Read], environment: Mapping[str, str]) -> Read:
    values: dict[str, object] = {}
    for name, field in model.model_fields.items():
        raw = environment.get(PREFIX + name.upper())
        if raw is None:
            continue
        listed = field.annotation == tuple[str, ...]
        values[name] = tuple(part.strip() for part in raw.split(",") if part.strip()) if listed else raw
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise SettingsError("; ".join(_sentence(detail["loc"], detail["msg"]) for detail in error.errors())) from None


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    name = PREFIX + str(location[0]).upper() if location else "settings"
    return f"{name}: {message}"
