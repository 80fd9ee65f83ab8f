"""What the asker knows of a package: its age, its use, and who stands behind it.

The weights are set by hand, in log-odds, and add to every finding that names a target. A one-letter slip of a
popular name has about 5 without them, and suspicious begins at 0.4.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from typosentinel_server.scan.model import Contribution

# (days since the first release, at least; weight), oldest first. Registries take most squats down within days or
# weeks, so the first weeks speak against a name. Age alone clears no clear slip: some squats lie around for years.
AGE_WEIGHTS = ((2190, -3.0), (1095, -2.5), (365, -1.2), (90, 0.0), (30, 0.5), (7, 1.0), (0, 1.5))
# (downloads a month, at least; weight). Mirrors and scanners alone cause a few hundred, so only below a hundred is
# a name unused. Use can be faked, thousands for little money, hundreds of thousands hardly.
USE_WEIGHTS = ((1_000_000, -4.5), (100_000, -3.5), (10_000, -2.0), (1_000, -1.0), (100, 0.0), (0, 0.5))
# A squat comes after what it imitates, never before.
OLDER_THAN_TARGET_WEIGHT = -2.0
# People mistype a name once in thousands of times; what is used a tenth as often as its target is no slip of it.
USED_LIKE_TARGET_WEIGHT = -1.5
LIKE_TARGET = 10
# Registries see to it that a maintainer is one: whoever publishes both may name them as they like.
SAME_MAINTAINER_WEIGHT = -7.0
# A repository is what the publisher says it is, and squats copy their target's. That claim counts in full once it has
# stood in public for a year in a package that is in use, and hardly before.
SAME_OWNER_WEIGHT = -4.0
SAME_OWNER_CLAIMED_WEIGHT = -0.5
STANDING_DAYS = 365
STANDING_DOWNLOADS = 1_000

REPOSITORY = re.compile(
    r"(?:scm:)?(?:git[+:])?(?:(?:https?|git|ssh)://)?(?:[^@/\s]*@)?"
    r"(?P<host>[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::[0-9]+)?[/:](?P<owner>[a-z0-9~._-]+)/[a-z0-9~._/-]+(?:[?#]\S*)?",
    re.IGNORECASE,
)
SHORTHAND = re.compile(r"(?:(?P<host>github|gitlab|bitbucket):)?(?P<owner>[a-z0-9._-]+)/[a-z0-9._-]+", re.IGNORECASE)
SHORTHAND_HOSTS = {"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org"}


@dataclass(frozen=True, slots=True)
class Facts:
    """One package as the asker knows it; None and empty for what is not known.

    Attributes:
        first_release: the day of the first release, in UTC.
        downloads: in a month.
        maintainers: accounts that may publish it.
        repository: where its source is said to be.
    """

    first_release: date | None = None
    downloads: int | None = None
    maintainers: frozenset[str] = frozenset()
    repository: str | None = None

    @property
    def exist(self) -> bool:
        """Whether they show that the registry holds the package."""
        return self.first_release is not None or bool(self.downloads) or bool(self.maintainers)


@dataclass(frozen=True, slots=True)
class Metadata:
    """What comes with a question.

    Attributes:
        package: about the package in question.
        target: about the one that it may be confused with.
        target_name: which that is; findings about others do not profit from `target`.
    """

    package: Facts
    target: Facts = Facts()
    target_name: str | None = None


def weigh(package: Facts, target: Facts, today: date) -> tuple[Contribution, ...]:
    """What the facts add to a finding about this target. An earlier release or more downloads never add to it."""
    return (
        *_of_age(package, today),
        *_of_use(package),
        *_next_to(package, target),
        *_of_owner(package, target, today),
    )


def repository_owner(text: str) -> str | None:
    """Host and account of a repository's address, in lower case; None where it is no address of one."""
    full = REPOSITORY.fullmatch(text)
    if full:
        return f"{full['host']}/{full['owner']}".lower()
    short = SHORTHAND.fullmatch(text)
    if short:
        return f"{SHORTHAND_HOSTS[(short['host'] or 'github').lower()]}/{short['owner']}".lower()
    return None


def _of_age(package: Facts, today: date) -> Iterator[Contribution]:
    if package.first_release is not None:
        days = max(0, (today - package.first_release).days)
        yield Contribution(f"first released {days} days ago", _step(AGE_WEIGHTS, days))


def _of_use(package: Facts) -> Iterator[Contribution]:
    if package.downloads is not None:
        yield Contribution(f"{package.downloads} downloads a month", _step(USE_WEIGHTS, package.downloads))


def _next_to(package: Facts, target: Facts) -> Iterator[Contribution]:
    if package.first_release and target.first_release and package.first_release < target.first_release:
        yield Contribution("released before its target", OLDER_THAN_TARGET_WEIGHT)
    if package.downloads and target.downloads and package.downloads * LIKE_TARGET >= target.downloads:
        yield Contribution("used at least a tenth as often as its target", USED_LIKE_TARGET_WEIGHT)


def _of_owner(package: Facts, target: Facts, today: date) -> Iterator[Contribution]:
    if _folded(package.maintainers) & _folded(target.maintainers):
        yield Contribution("shares a maintainer with its target", SAME_MAINTAINER_WEIGHT)
    mine = repository_owner(package.repository or "")
    if mine and mine == repository_owner(target.repository or ""):
        standing = (
            package.first_release is not None
            and (today - package.first_release).days >= STANDING_DAYS
            and (package.downloads or 0) >= STANDING_DOWNLOADS
        )
        weight = SAME_OWNER_WEIGHT if standing else SAME_OWNER_CLAIMED_WEIGHT
        yield Contribution("says that its repository has its target's owner", weight)


def _step(weights: tuple[tuple[int, float], ...], value: int) -> float:
    return next(weight for least, weight in weights if value >= least)


def _folded(accounts: frozenset[str]) -> frozenset[str]:
    return frozenset(account.strip().casefold() for account in accounts)
