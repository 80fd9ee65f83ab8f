"""What a scanner pod mounts: its configuration, the lists that a user brings, a place for what it downloads."""

from typing import Final, NamedTuple

from typosentinel_operator import names, specs
from typosentinel_operator.desired.inputs import Inputs, Manifest

# Twice the largest archive that a server takes: the new one is written before the old one goes.
STATE_SIZE: Final = "160Mi"


class Mount(NamedTuple):
    """A volume, and the directory in which the container has it."""

    volume: str
    directory: str


# By the field of the spec that refers to what is in it.
REFERENCES: Final = {
    specs.CORPUS_REFERENCE: Mount("corpus", names.CORPUS_DIRECTORY),
    specs.PRIVATE_NAMES_REFERENCE: Mount("private-names", names.PRIVATE_NAMES_DIRECTORY),
    specs.ALLOW_LIST_REFERENCE: Mount("allow-list", names.ALLOW_LIST_DIRECTORY),
}


def volumes(inputs: Inputs) -> list[Manifest]:
    """The volumes. Always whole ConfigMaps, never a subPath: that is not updated when the ConfigMap changes."""
    found: list[Manifest] = [{"name": "configuration", "configMap": {"name": names.child_name(inputs.name)}}]
    for field, name in specs.config_maps(inputs.spec).items():
        # Optional: without it a pod starts all the same, and takes the lists when they come.
        source = {"name": inputs.kept.get(field, name), "optional": True}
        found.append({"name": REFERENCES[field].volume, "configMap": source})
    if _downloads(inputs):
        found.append({"name": "state", "emptyDir": {"sizeLimit": STATE_SIZE}})
    return found


def mounts(inputs: Inputs) -> list[Manifest]:
    """Where the container has them."""
    found: list[Manifest] = [{"name": "configuration", "mountPath": names.CONFIG_DIRECTORY, "readOnly": True}]
    for field in specs.config_maps(inputs.spec):
        volume, path = REFERENCES[field]
        found.append({"name": volume, "mountPath": path, "readOnly": True})
    if _downloads(inputs):
        found.append({"name": "state", "mountPath": names.STATE_DIRECTORY})
    return found


def mounted(deployment: Manifest | None) -> dict[str, str]:
    """The ConfigMaps that a Deployment's pods mount for what a spec can refer to: names by the field."""
    pod = (deployment or {}).get("spec", {}).get("template", {}).get("spec", {})
    sources = {volume["name"]: volume.get("configMap", {}).get("name") for volume in pod.get("volumes") or []}
    return {field: sources[volume] for field, (volume, _) in REFERENCES.items() if sources.get(volume)}


def _downloads(inputs: Inputs) -> bool:
    source = inputs.spec.corpus.source if inputs.spec.corpus else None
    return source is not None and source.url is not None
