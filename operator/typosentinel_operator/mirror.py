"""The cluster as our watches and the answers to our own writes have told it, so that a look at it costs no request.

An object's `resourceVersion` only ever grows, whatever it is learnt from: news that is older than what is known, of a
watch that lags, a list out of a stale cache or a line that comes twice, changes nothing. What no watch has told is
healed by lists (`see` each object, then `sweep`). Pure memory of one process; it dies with it.

Objects are kept as JSON, which takes a fraction of the memory that Python's own objects would, and without what
nobody here decides on, so that a change of that wakes nobody.
"""

import math
from collections import OrderedDict
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from typosentinel_operator import names, relations
from typosentinel_operator.drift import REPLICAS_FIELD
from typosentinel_operator.names import Kind
from typosentinel_operator.packing import packed, unpacked
from typosentinel_operator.relations import Tie
from typosentinel_operator.scope import Scope

Manifest = dict[str, Any]

WATCHED: Final = (*names.CUSTOM_KINDS, *names.CHILD_KINDS, names.POD)
# Of the last objects that have gone it is remembered that they have: an answer of before may come after.
_GRAVES: Final = 4096
# Nobody looks at the status of these, which their controllers write again and again.
_WITHOUT_STATUS: Final = frozenset({names.SERVICE_ACCOUNT, names.CONFIG_MAP, names.SERVICE, names.DISRUPTION_BUDGET})
# Of these we write the status, and an annotation; all else is others'.
_WRITTEN_IN_PART: Final = frozenset({*names.CUSTOM_KINDS, names.POD})
_OF_PODS: Final = ("phase", "podIP", "containerStatuses")
# Its figures are new at each look of its controller, every 15 seconds.
_OF_AUTOSCALERS: Final = ("conditions", "desiredReplicas")


@dataclass(frozen=True, slots=True)
class News:
    """Something that decides has changed.

    Attributes:
        kind, namespace, name: of the object.
        ties: what it is or was tied to.
    """

    kind: Kind
    namespace: str
    name: str
    ties: frozenset[Tie]


class _Known(NamedTuple):
    uid: str
    version: int
    ties: frozenset[Tie]
    text: bytes


class Mirror:
    """Objects of the kinds that are watched.

    Args:
        scope: which of them are ours to look after.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._objects: dict[Kind, dict[tuple[str, str], _Known]] = {kind: {} for kind in WATCHED}
        self._tied: dict[tuple[Kind, str, Tie], set[str]] = {}
        self._latest = dict.fromkeys(WATCHED, 0)
        self._graves: OrderedDict[str, float] = OrderedDict()

    def get(self, kind: Kind, namespace: str, name: str) -> Manifest | None:
        """One object, or None where none is known."""
        known = self._objects[kind].get((namespace, name))
        return None if known is None else _restored(kind, known)

    def tied(self, kind: Kind, namespace: str, tie: Tie) -> list[Manifest]:
        """All objects of a kind that are tied to this one, by name."""
        objects = self._objects[kind]
        found = sorted(self._tied.get((kind, namespace, tie), ()))
        return [_restored(kind, objects[namespace, name]) for name in found]

    def names_tied(self, kind: Kind, namespace: str, tie: Tie) -> tuple[str, ...]:
        """The names alone."""
        return tuple(sorted(self._tied.get((kind, namespace, tie), ())))

    def names_of(self, kind: Kind) -> list[tuple[str, str]]:
        """Namespace and name of every object of a kind."""
        return list(self._objects[kind])

    def latest(self, kind: Kind) -> int:
        """The newest version that is known of any object of this kind, and of any that has gone."""
        return self._latest[kind]

    def see(self, kind: Kind, manifest: Manifest, *, listed: int = 0) -> News | None:
        """Take an object in; returns the news in it, if there are any.

        Args:
            kind: of the object.
            manifest: the object.
            listed: version of the list that shows it. One that comes after what is known, and shows the object in an
                older version, is of another history: a backup has been restored, and what was later is no more.
        """
        if kind not in self._objects:
            return None
        if not self.scope.covers(kind, manifest):
            # Somebody took our label off; who watches by label is told that it has gone.
            return self.miss(kind, manifest)
        meta = manifest["metadata"]
        place, uid, version = (
            (meta["namespace"], meta["name"]),
            meta["uid"],
            version_number(meta.get("resourceVersion")),
        )
        self._latest[kind] = max(self._latest[kind], version)
        before = self._objects[kind].get(place)
        if self._is_of_another_shard(kind, manifest):
            # No grave for it: with its ScanService it may become ours as it is.
            return self._drop(kind, place) if before else None
        last = max(self._graves.get(uid, 0), before.version if before else 0)
        if _older(version, last) and listed < last:
            return None
        known = _Known(uid, version, relations.of(kind, manifest), packed(_essence(kind, manifest)))
        self._objects[kind][place] = known
        if before is not None and before.text == known.text:
            return None
        return self._retied(kind, place, before, known)

    def answered(self, kind: Kind, manifest: Manifest) -> None:
        """Take in the answer to our own write: its echo is no news then.

        An answer shows the whole object, with what others have changed since we read it. Of custom resources and pods
        we write but a part; where the rest is not what is known the answer is left alone, and the watch will tell. Else
        that change would be no news to anybody. Nor does an answer bring back what a watch has told to have gone: the
        object may have moved to another shard.
        """
        if kind in _WRITTEN_IN_PART:
            meta = manifest["metadata"]
            known = self._objects[kind].get((meta["namespace"], meta["name"]))
            if known is None or _of_others(kind, unpacked(known.text)) != _of_others(kind, _essence(kind, manifest)):
                return
        self.see(kind, manifest)

    def miss(self, kind: Kind, manifest: Manifest, *, for_good: bool = False) -> News | None:
        """Take in that an object is no longer to be seen; returns the news in that.

        Args:
            kind: of the object.
            manifest: the object, in the version in which it went.
            for_good: it has been removed, in a version that is not known; else it may have lost our label.
        """
        if kind not in self._objects:
            return None
        meta = manifest["metadata"]
        version = version_number(meta.get("resourceVersion"))
        self._latest[kind] = max(self._latest[kind], version)
        self._bury(meta["uid"], math.inf if for_good else version)
        place = (meta["namespace"], meta["name"])
        known = self._objects[kind].get(place)
        if known is None or known.uid != meta["uid"] or (_older(version, known.version) and not for_good):
            return None
        return self._drop(kind, place)

    def sweep(
        self, kind: Kind, namespace: str | None, present: AbstractSet[tuple[str, str]], version: int
    ) -> list[News]:
        """Drop what a complete list does not show; returns the news in that.

        Args:
            kind: of the list.
            namespace: that it is of; None: of all.
            present: namespace and name of all that it shows.
            version: the list's own. What is known in a later one may have been made since.
        """
        news = []
        for place, known in list(self._objects[kind].items()):
            inside = namespace is None or place[0] == namespace
            if inside and place not in present and not _older(version, known.version):
                self._bury(known.uid, version)
                news.append(self._drop(kind, place))
        self._latest[kind] = max(self._latest[kind], version)
        return news

    def forget(self) -> None:
        """Forget everything: versions have gone backwards, as they do where a backup was restored."""
        for objects in self._objects.values():
            objects.clear()
        self._tied.clear()
        self._graves.clear()
        self._latest = dict.fromkeys(WATCHED, 0)

    def _is_of_another_shard(self, kind: Kind, manifest: Manifest) -> bool:
        if kind != names.POD or not self.scope.shard:
            return False
        namespace = manifest["metadata"]["namespace"]
        return not any((namespace, name) in self._objects[owner] for owner, name in relations.of(kind, manifest))

    def _drop(self, kind: Kind, place: tuple[str, str]) -> News:
        return self._retied(kind, place, self._objects[kind].pop(place), None)

    def _bury(self, uid: str, version: float) -> None:
        self._graves[uid] = version + 1
        self._graves.move_to_end(uid)
        if len(self._graves) > _GRAVES:
            self._graves.popitem(last=False)

    def _retied(self, kind: Kind, place: tuple[str, str], before: _Known | None, after: _Known | None) -> News:
        namespace, name = place
        old, new = (frozenset() if known is None else known.ties for known in (before, after))
        for tie in old - new:
            group = self._tied[kind, namespace, tie]
            group.discard(name)
            if not group:
                del self._tied[kind, namespace, tie]
        for tie in new - old:
            self._tied.setdefault((kind, namespace, tie), set()).add(name)
        return News(kind, namespace, name, old | new)


def version_number(version: str | None) -> int:
    """A `resourceVersion` as a number, as which Kubernetes defines it (KEP-5504); 0: it can't be compared."""
    return int(version) if version and version.isascii() and version.isdigit() else 0


def _older(version: float, than: float) -> bool:
    return 0 < version < than


def _essence(kind: Kind, manifest: Manifest) -> Manifest:
    """What anybody here looks at."""
    meta = {key: value for key, value in manifest["metadata"].items() if key != "managedFields"}
    if version_number(meta.get("resourceVersion")):
        del meta["resourceVersion"]
    if kind == names.POD:
        status = manifest.get("status", {})
        ready = [one for one in status.get("conditions", []) if one["type"] == "Ready"]
        seen = {key: status[key] for key in _OF_PODS if key in status}
        return {"metadata": meta, "status": seen | ({"conditions": ready} if ready else {})}
    if kind == names.AUTOSCALER and "status" in manifest:
        manifest = manifest | {"status": {k: v for k, v in manifest["status"].items() if k in _OF_AUTOSCALERS}}
    if kind == names.DEPLOYMENT:
        meta["managedFields"] = [
            {key: entry.get(key, "") for key in ("manager", "subresource")} | {"fieldsV1": REPLICAS_FIELD}
            for entry in manifest["metadata"].get("managedFields", [])
            if "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})
        ]
    left_out = {"apiVersion", "kind", "metadata"} | ({"status"} if kind in _WITHOUT_STATUS else set())
    return {"metadata": meta} | {key: value for key, value in manifest.items() if key not in left_out}


def _of_others(kind: Kind, essence: Manifest) -> Manifest:
    """What we never write of an object that we write but a part of."""
    if kind != names.POD:
        return {key: value for key, value in essence.items() if key != "status"}
    meta = essence["metadata"]
    theirs = {key: value for key, value in meta.get("annotations", {}).items() if key != names.ANNOTATION_REFRESH}
    return essence | {"metadata": meta | {"annotations": theirs}}


def _restored(kind: Kind, known: _Known) -> Manifest:
    manifest: Manifest = {"apiVersion": kind.api_version, "kind": kind.name} | unpacked(known.text)
    if known.version:
        manifest["metadata"]["resourceVersion"] = str(known.version)
    return manifest
