"""What a scanner pod mounts: its configuration, lists of popular names, a place for what it downloads."""

from typing import Final

from typosentinel_operator import names
from typosentinel_operator.desired.inputs import Inputs, Manifest

# Twice the largest archive that a server takes: the new one is written before the old one goes.
STATE_SIZE: Final = "160Mi"


def volumes(inputs: Inputs) -> list[Manifest]:
    """The volumes. Always whole ConfigMaps, never a subPath: that is not updated when the ConfigMap changes."""
    found: list[Manifest] = [{"name": "configuration", "configMap": {"name": names.child_name(inputs.name)}}]
    source = inputs.spec.corpus.source if inputs.spec.corpus else None
    if source is not None and source.config_map_ref is not None:
        # Optional: without it a pod starts all the same, and takes the lists when they come.
        found.append({"name": "corpus", "configMap": {"name": source.config_map_ref.name, "optional": True}})
    if source is not None and source.url is not None:
        found.append({"name": "state", "emptyDir": {"sizeLimit": STATE_SIZE}})
    return found


def mounts(inputs: Inputs) -> list[Manifest]:
    """Where the container has them."""
    return [_mount(volume["name"]) for volume in volumes(inputs)]


def _mount(volume: str) -> Manifest:
    if volume == "state":
        return {"name": volume, "mountPath": names.STATE_DIRECTORY}
    path = {"configuration": names.CONFIG_DIRECTORY, "corpus": names.CORPUS_DIRECTORY}[volume]
    return {"name": volume, "mountPath": path, "readOnly": True}
