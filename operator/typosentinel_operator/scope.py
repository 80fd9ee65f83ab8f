"""Which objects one operator looks after: all, those of some namespaces, or those that a label selector picks. Pure.

An operator with a selector is one shard of several. Custom resources that its selector does not pick do not exist for
it; a policy belongs to the shard of the ScanServices that refer to it. Children carry the shard's name, so that the
API server can pick them, too. Pods do not, or each move between shards would replace them: they are told by what owns
them.
"""

from dataclasses import dataclass
from typing import Any

from typosentinel_operator import names
from typosentinel_operator.names import Kind

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scope:
    """What one operator sees.

    Attributes:
        namespaces: those that it watches; none: all of them.
        selector: label selector of custom resources, in Kubernetes' words; empty: all of them.
        shard: name of the shard, on children; empty where there is no selector.
    """

    namespaces: tuple[str, ...] = ()
    selector: str = ""
    shard: str = ""

    def label_selector(self, kind: Kind) -> str:
        """What lists and watches of a kind are asked for; empty: everything."""
        if kind in names.CUSTOM_KINDS:
            return self.selector
        if self.shard and kind in names.CHILD_KINDS:
            return f"{names.MANAGED_SELECTOR},{names.LABEL_SHARD}={self.shard}"
        return names.MANAGED_SELECTOR

    def covers(self, kind: Kind, manifest: Manifest) -> bool:
        """Whether a list of this kind would show the object, as far as its labels of ours tell."""
        if kind in names.CUSTOM_KINDS:
            return True
        labels = manifest["metadata"].get("labels", {})
        wanted = self.shard if kind in names.CHILD_KINDS else ""
        ours: bool = labels.get(names.LABEL_MANAGED_BY) == names.FIELD_MANAGER
        return ours and (not wanted or labels.get(names.LABEL_SHARD) == wanted)
