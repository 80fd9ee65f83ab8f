"""What a scanner pod mounts: its configuration, what a user brings in ConfigMaps and Secrets, a place for downloads."""

from typing import Final, NamedTuple

from typosentinel_operator import cachespec, names, servingspec, specs
from typosentinel_operator.desired.inputs import Inputs, Manifest
from typosentinel_operator.fields import SecretKeyReference

# Twice the largest archive that a server takes: the new one is written before the old one goes.
STATE_SIZE: Final = "160Mi"


class Mount(NamedTuple):
    """A volume, and the directory in which the container has it."""

    volume: str
    directory: str


class SecretMount(NamedTuple):
    """A volume with one key of a Secret, and the file in which the container has it."""

    volume: str
    directory: str
    file: str

    @property
    def path(self) -> str:
        """The whole path of the file."""
        return f"{self.directory}/{self.file}"


# By the field of the spec that refers to what is in it.
REFERENCES: Final = {
    specs.CORPUS_REFERENCE: Mount("corpus", names.CORPUS_DIRECTORY),
    specs.PRIVATE_NAMES_REFERENCE: Mount("private-names", names.PRIVATE_NAMES_DIRECTORY),
    specs.ALLOW_LIST_REFERENCE: Mount("allow-list", names.ALLOW_LIST_DIRECTORY),
}
SECRETS: Final = {
    cachespec.REDIS_URL_REFERENCE: SecretMount("redis-url", names.REDIS_DIRECTORY, "url"),
    cachespec.ENCRYPTION_KEY_REFERENCE: SecretMount("cache-key", names.CACHE_KEY_DIRECTORY, "key"),
    servingspec.API_KEYS_REFERENCE: SecretMount("api-keys", names.API_KEYS_DIRECTORY, "keys"),
}
ADMIN: Final = SecretMount("admin-token", names.ADMIN_DIRECTORY, names.ADMIN_TOKEN_KEY)


def volumes(inputs: Inputs) -> list[Manifest]:
    """The volumes. Never a subPath: that is not updated when the ConfigMap or Secret changes."""
    found: list[Manifest] = [{"name": "configuration", "configMap": {"name": names.child_name(inputs.name)}}]
    for field, name in specs.config_maps(inputs.spec).items():
        # Optional: without it a pod starts all the same, and takes the lists when they come.
        source = {"name": inputs.kept.get(field, name), "optional": True}
        found.append({"name": REFERENCES[field].volume, "configMap": source})
    for field, reference in specs.secrets(inputs.spec, inputs.cache).items():
        found.append(_secret(SECRETS[field], inputs.kept_secrets.get(field, reference)))
    token = SecretKeyReference(name=names.admin_secret_name(inputs.name), key=names.ADMIN_TOKEN_KEY)
    found.append(_secret(ADMIN, token))
    if _downloads(inputs):
        found.append({"name": "state", "emptyDir": {"sizeLimit": STATE_SIZE}})
    return found


def mounts(inputs: Inputs) -> list[Manifest]:
    """Where the container has them."""
    places = [Mount("configuration", names.CONFIG_DIRECTORY)]
    places += [REFERENCES[field] for field in specs.config_maps(inputs.spec)]
    secrets = [SECRETS[field] for field in specs.secrets(inputs.spec, inputs.cache)]
    places += [Mount(one.volume, one.directory) for one in (*secrets, ADMIN)]
    found: list[Manifest] = [{"name": volume, "mountPath": directory, "readOnly": True} for volume, directory in places]
    if _downloads(inputs):
        found.append({"name": "state", "mountPath": names.STATE_DIRECTORY})
    return found


def mounted(deployment: Manifest | None) -> dict[str, str]:
    """The ConfigMaps that a Deployment's pods mount for what a spec can refer to: names by the field."""
    sources = {name: volume.get("configMap", {}).get("name") for name, volume in _by_name(deployment).items()}
    return {field: sources[volume] for field, (volume, _) in REFERENCES.items() if sources.get(volume)}


def mounted_secrets(deployment: Manifest | None) -> dict[str, SecretKeyReference]:
    """The Secrets that a Deployment's pods mount for what a spec can refer to, by the field."""
    present = _by_name(deployment)
    found = {}
    for field, mount in SECRETS.items():
        source = present.get(mount.volume, {}).get("secret") or {}
        name, items = source.get("secretName"), source.get("items") or []
        if name and len(items) == 1:
            found[field] = SecretKeyReference(name=name, key=items[0]["key"])
    return found


def _secret(mount: SecretMount, reference: SecretKeyReference) -> Manifest:
    """One key and no other. Optional: what Secrets bring is never worth a scan that is not answered."""
    items = [{"key": reference.key, "path": mount.file}]
    return {"name": mount.volume, "secret": {"secretName": reference.name, "optional": True, "items": items}}


def _by_name(deployment: Manifest | None) -> dict[str, Manifest]:
    pod = (deployment or {}).get("spec", {}).get("template", {}).get("spec", {})
    return {volume["name"]: volume for volume in pod.get("volumes") or []}


def _downloads(inputs: Inputs) -> bool:
    source = inputs.spec.corpus.source if inputs.spec.corpus else None
    return source is not None and source.url is not None
