"""One right: what may be done to what, and how that reads."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rights import Rights

# Those of the chart are called so, after the release; and so are the few objects to which some rights are restricted.
ACCOUNTS: Final = ("operator", "webhook")
RELEASE: Final = "RELEASE"
# Verbs of Kubernetes, for who does not know them by heart.
_IN_WORDS: Final = {
    "get": "read",
    "list": "list",
    "watch": "hear of changes of",
    "create": "create",
    "patch": "change fields of",
    "update": "replace",
    "delete": "delete",
}


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """A verb of RBAC on a resource.

    Attributes:
        group: of the API; the core group is the empty string.
        resource: its plural, with the subresource after a slash.
        verb: of RBAC; server-side apply is `patch`.
        name: of the only object that it is about; empty: any.
        who: has it: one of `ACCOUNTS`.
    """

    group: str
    resource: str
    verb: str
    name: str = ""
    who: str = "operator"

    def __str__(self) -> str:
        kind = f"{self.resource}{'.' * bool(self.group)}{self.group}"
        return f"{self.who}: {self.verb} {kind}{' ' * bool(self.name)}{self.name}"

    def in_words(self) -> str:
        """The same as a sentence for people."""
        resource, _, part = self.resource.partition("/")
        what = f"the {part} of {resource}" if part else resource
        return f"{_IN_WORDS.get(self.verb, self.verb)} {what}{' called ' * bool(self.name)}{self.name}"

    def covers(self, use: "Right") -> bool:
        """Whether who has this one may do that."""
        same = (self.who, self.group, self.resource, self.verb) == (use.who, use.group, use.resource, use.verb)
        return same and self.name in {"", use.name}


def of_table(table: Rights, who: str, release: str) -> Iterator[Right]:
    """The rights in a table of (group, resource[:name]) to verbs, as an account of a release has them."""
    for (group, named), verbs in table.items():
        resource, _, name = named.partition(":")
        yield from (Right(group, resource, verb, of_release(name, release), who) for verb in verbs)


def of_release(name: str, release: str) -> str:
    """The name of an object of the chart without that of its release, which is of no interest; others stay."""
    return RELEASE + name.removeprefix(release) if name in {f"{release}-{who}" for who in ACCOUNTS} else name
