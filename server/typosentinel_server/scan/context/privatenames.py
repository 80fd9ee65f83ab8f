"""Names of one's own registry: asked of a public one, they are dependency confusion."""

from collections.abc import Iterable

from typosentinel_server.scan.context.evidence import Asked, Judged, found
from typosentinel_server.scan.context.nearby import Nearby
from typosentinel_server.scan.context.patterns import Matcher, Pattern
from typosentinel_server.scan.model import Contribution, Technique, Verdict
from typosentinel_server.scan.forms import owner

# In log-odds. A package of a private name in a public registry is hardly ever there by chance.
PRIVATE_WEIGHT = 3.0
# By the length of the shorter name: one edit in a long name is hardly chance, in a short one it may well be.
NEAR_WEIGHTS = {4: -3.0, 5: -0.3, 6: -0.1}
NEAR_LONG_WEIGHT = 1.5
# Another organisation may well have a name like ours.
NEAR_NAMESPACE_WEIGHT = -0.1


class PrivateNames:
    """The private names and namespaces of all ecosystems.

    Args:
        patterns: as the list has them.
    """

    def __init__(self, patterns: Iterable[Pattern] = ()) -> None:
        held = tuple(patterns)
        self._matcher = Matcher((pattern, pattern) for pattern in held)
        self._near = {
            ecosystem: (
                Nearby(p.key.lower() for p in held if p.ecosystem is ecosystem and p.whole),
                Nearby(p.key[:-1].lower() for p in held if p.ecosystem is ecosystem and not p.whole),
            )
            for ecosystem in {pattern.ecosystem for pattern in held}
        }

    def __len__(self) -> int:
        return len(self._matcher)

    def findings(self, asked: Asked) -> tuple[Judged, ...]:
        """Suspicious for a private name; for one edit from one, its length decides."""
        ecosystem, name = asked.result.package.ecosystem, asked.name
        matching = self._matcher.get(ecosystem, name.identity)
        if matching:
            return (self._private(asked, matching[0]),)
        if asked.result.known or ecosystem not in self._near:
            return ()
        names, namespaces = self._near[ecosystem]
        near = [_near_name(name.text, target) for target in names.get(name.text)]
        held_by = owner(ecosystem, name.text)
        return (*near, *(_near_namespace(held_by, target) for target in namespaces.get(held_by)))

    def _private(self, asked: Asked, pattern: Pattern) -> Judged:
        which = "is one of your private names" if pattern.whole else f'is in your private namespace "{pattern.text}"'
        finding = found(
            Technique.DEPENDENCY_CONFUSION,
            asked.result.normalized,
            f"this {which}, and a public registry is asked for it",
            Contribution("on the list of private names", PRIVATE_WEIGHT),
        )
        return Judged(finding, Verdict.SUSPICIOUS)


def _near_name(text: str, target: str) -> Judged:
    shorter = min(len(text), len(target))
    finding = found(
        Technique.DEPENDENCY_CONFUSION,
        target,
        f'one edit away from your private name "{target}"',
        Contribution(f"the shorter name has {shorter} characters", NEAR_WEIGHTS.get(shorter, NEAR_LONG_WEIGHT)),
    )
    return Judged(finding, at_most=Verdict.ADVISORY if shorter in NEAR_WEIGHTS else Verdict.SUSPICIOUS)


def _near_namespace(held_by: str, target: str) -> Judged:
    finding = found(
        Technique.DEPENDENCY_CONFUSION,
        target,
        f'"{held_by}" is one edit away from your private namespace "{target}"',
        Contribution("another owner may have a similar name", NEAR_NAMESPACE_WEIGHT),
    )
    return Judged(finding, at_most=Verdict.ADVISORY)
