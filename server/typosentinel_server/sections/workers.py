"""The part of the configuration document that is about the processes that judge large batches."""

from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from typosentinel_server.durations import ALLOWED
from typosentinel_server.sections.corpus import Section, seconds

MOST_WORKERS: Final = 64
MOST_WAITING: Final = 100_000
LONGEST: Final = 3600.0
MOST_ITEMS: Final = 10_000


class WorkerSettings(Section):
    """Processes beside the server's own that judge large batches.

    Attributes:
        min: processes kept once the first large batch has come; none is started before.
        max: processes at most; 0 for none, so that the server judges every batch itself.
        queue: slices of batches that may wait for a process.
        timeout: seconds that one batch may take.
        threshold: names from which a batch is a large one.
    """

    min: Annotated[int, Field(ge=0, le=MOST_WORKERS)] = 2
    max: Annotated[int, Field(ge=0, le=MOST_WORKERS)] = 10
    queue: Annotated[int, Field(ge=1, le=MOST_WAITING)] = 1000
    timeout: Annotated[float, BeforeValidator(seconds), Field(ge=1.0, le=LONGEST)] = 300.0
    threshold: Annotated[int, Field(ge=1, le=MOST_ITEMS)] = 500

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min is {self.min} and max is {self.max}; min is at most max")
        return self


# What each field takes, in words: (what it is, what is allowed).
ALLOWED_VALUES: Final[dict[str, tuple[str, str]]] = {
    "workers.min": ("number of processes", f"whole numbers 0 to {MOST_WORKERS}, at most max"),
    "workers.max": ("number of processes", f"whole numbers 0 to {MOST_WORKERS}"),
    "workers.queue": ("number of slices", f"whole numbers 1 to {MOST_WAITING}"),
    "workers.timeout": ("time", f"{ALLOWED}, from 1s to 1h"),
    "workers.threshold": ("number of names", f"whole numbers 1 to {MOST_ITEMS}"),
}
