"""The owner of a name left out, added or changed: `client-sts` for `@aws-sdk/client-sts`. Bound: three probes.

In npm that is the scope, in Maven the group, in Go the host with the account.
"""

from collections.abc import Iterator

from typosentinel_server.scan import forms
from typosentinel_server.scan.index import Target
from typosentinel_server.scan.model import Ecosystem, Technique
from typosentinel_server.scan.query import Match, Query

# Scopes whose packages are by rule named after packages of others.
DESCRIBING = frozenset(("@types",))
SHORTEST = 3
# `core` and `utils` are in everybody's scope: of those whose owners are nothing alike, the most popular are enough.
MOST_UNLIKE = 8


def check(query: Query) -> Iterator[Match]:
    """Owned names that are called the same within, and names without owner that an owner is put before."""
    held = forms.owner(query.ecosystem, query.text)
    base = forms.base(query.ecosystem, query.text)
    if held in DESCRIBING or len(base) < SHORTEST:
        return
    if query.ecosystem is Ecosystem.NPM and not held:
        yield from _without(query)
        return
    if not held:
        return
    unlike, mine = 0, forms.flat(held)
    for target in query.index.same_base(base):
        theirs = forms.owner(query.ecosystem, target.text)
        if theirs == held or theirs in DESCRIBING:
            continue
        signs = {"other_owner": 1.0}
        if _alike(held, mine, theirs):
            signs["owner_alike"] = 1.0
        elif unlike == MOST_UNLIKE:
            continue
        else:
            unlike += 1
        evidence = f"it is called as {{target}} and belongs to {held}, not {theirs}"
        yield Match(Technique.SCOPE, target, evidence, signs | _owned(query, target))
    if query.ecosystem is Ecosystem.NPM:
        number = query.index.lettered(forms.flat(base))
        if number is not None and (unowned := query.index.target(number)).text == base:
            evidence = f"the scope {held} is put before {{target}}"
            yield Match(Technique.SCOPE, unowned, evidence, {"owner_added": 1.0})


def _without(query: Query) -> Iterator[Match]:
    for target in query.index.same_base(query.text):
        theirs = forms.owner(query.ecosystem, target.text)
        if theirs not in DESCRIBING:
            evidence = f"the scope {theirs} of {{target}} is left out"
            yield Match(Technique.SCOPE, target, evidence, {"owner_left_out": 1.0, **_owned(query, target)})
    for target in query.same:
        if target.text.startswith("@") and target.text != query.text:
            evidence = "the scope of {target} is written as a part of the name"
            yield Match(Technique.SCOPE, target, evidence, {"owner_flattened": 1.0, **_owned(query, target)})


def _alike(held: str, mine: str, theirs: str) -> bool:
    """Whether one owner passes for the other: one begins with the other, or they differ in a group's first word."""
    other = forms.flat(theirs)
    if mine and other and (mine.startswith(other) or other.startswith(mine)):
        return True
    return "." in held and held.partition(".")[2] == theirs.partition(".")[2]


def _owned(query: Query, target: Target) -> dict[str, float]:
    return {
        "owner_size": query.index.owned[target.number],
        "owner_doubled": query.index.owned_doubled[target.number] / 255,
    }
