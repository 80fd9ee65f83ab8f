"""What answers come to: the nouns of this room."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final

from typosentinel_server.scan.context.malware import Record
from typosentinel_server.scan.context.metadata import Facts

DAYS_OF_MONTH: Final = 30


class State(StrEnum):
    """What became of asking one provider about one package."""

    USED = "used"
    ABSENT = "absent"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    BROKEN = "broken"


class Blame(StrEnum):
    """What a failure says of the provider to its breaker."""

    NONE = "none"
    GUILTY = "guilty"
    UNKNOWN = "unknown"


class Failure(Exception):
    """There is no evidence, and why. Never leaves this room.

    Attributes:
        state: what to tell the caller.
        reason: a few words for people.
        result: what to count it as; the state where it is nothing finer.
        blame: whether the provider is to blame; nobody knows where it was not asked.
    """

    def __init__(self, state: State, reason: str, *, result: str | None = None, blame: Blame = Blame.NONE) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason
        self.result = result or state.value
        self.blame = blame


def broken(reason: str) -> Failure:
    """An answer that cannot be what was asked for; it came, so the provider is there."""
    return Failure(State.BROKEN, reason)


@dataclass(frozen=True, slots=True)
class Gleaned:
    """What one answer says of one package; None and empty for what it does not say.

    Attributes:
        first_release: the day of the first release, in UTC.
        downloads: in a month.
        downloads_ever: since the first release.
        maintainers: accounts that may publish it, by the registry's word.
        repository: where its source is said to be, by its publisher's word.
        vulnerabilities: ids of what is known against it, malware included.
        malware: what is known of it as malware.
    """

    first_release: date | None = None
    downloads: int | None = None
    downloads_ever: int | None = None
    maintainers: frozenset[str] = frozenset()
    repository: str | None = None
    vulnerabilities: tuple[str, ...] = ()
    malware: Record | None = None

    def or_else(self, other: "Gleaned") -> "Gleaned":
        """Both together; where both know something, this one counts."""
        malware = self.malware.joined(other.malware) if self.malware and other.malware else None
        return Gleaned(
            self.first_release or other.first_release,
            other.downloads if self.downloads is None else self.downloads,
            other.downloads_ever if self.downloads_ever is None else self.downloads_ever,
            self.maintainers or other.maintainers,
            self.repository or other.repository,
            tuple(dict.fromkeys((*self.vulnerabilities, *other.vulnerabilities))),
            malware or self.malware or other.malware,
        )

    def plausible(self, today: date) -> "Gleaned":
        """The same without a first release that has not come yet."""
        if self.first_release is None or self.first_release <= today:
            return self
        return replace(self, first_release=None)

    def facts(self, today: date) -> Facts:
        """The same for the scanning core.

        A registry that counts from the first release on gives a month's share: a mean over the package's life, which
        for a young package is all that there was. Without a first release the sum says nothing about a month.
        """
        downloads = self.downloads
        if downloads is None and self.downloads_ever is not None and self.first_release is not None:
            days = max(DAYS_OF_MONTH, (today - self.first_release).days)
            downloads = self.downloads_ever * DAYS_OF_MONTH // days
        return Facts(self.first_release, downloads, self.maintainers, self.repository)
