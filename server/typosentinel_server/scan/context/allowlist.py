"""Names that somebody has looked at and vouches for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from typosentinel_server.scan.context.evidence import Judged
from typosentinel_server.scan.context.patterns import Matcher, Pattern, same_package
from typosentinel_server.scan.model import Allowance, Ecosystem, Verdict


@dataclass(frozen=True, slots=True)
class AllowEntry:
    """One entry of an allow-list.

    Attributes:
        pattern: which names.
        reason: why, for whoever reads the answer.
        expires: the last day, in UTC, on which it clears; None without an end.
        target: the one target that the name may resemble, as written; None for whatever is found.
    """

    pattern: Pattern
    reason: str
    expires: date | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """An entry that applies to the name in question.

    Attributes:
        allowance: what the answer says of it.
        entry: where it comes from.
    """

    allowance: Allowance
    entry: AllowEntry

    def clears(self, judged: Judged) -> bool:
        """Whether a finding is taken out of the verdict.

        A namespace doesn't clear what is on a list of malware: whoever vouched for it has not seen that package.
        """
        if self.allowance.expired or (judged.verdict is Verdict.MALICIOUS and not self.entry.pattern.whole):
            return False
        target = self.entry.target
        return target is None or same_package(self.entry.pattern.ecosystem, target, judged.finding.target)


class AllowList:
    """All entries, ready to be asked.

    Args:
        entries: in any order.
    """

    def __init__(self, entries: Iterable[AllowEntry] = ()) -> None:
        self._entries = Matcher((entry.pattern, entry) for entry in entries)

    def __len__(self) -> int:
        return len(self._entries)

    def grants(self, ecosystem: Ecosystem, identity: str, today: date) -> tuple[Grant, ...]:
        """The entries that apply to a package, expired ones included; its own before those of namespaces."""
        return tuple(
            Grant(
                Allowance(
                    entry=entry.pattern.text,
                    reason=entry.reason,
                    expires=entry.expires,
                    target=entry.target,
                    expired=entry.expires is not None and entry.expires < today,
                ),
                entry,
            )
            for entry in self._entries.get(ecosystem, identity)
        )
