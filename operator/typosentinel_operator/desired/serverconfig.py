"""The scanner's configuration document, in the ConfigMap that its pods mount.

The document is the only thing in which operator and server meet; `tests/contract` reads it from both sides.
"""

import hashlib
from typing import Any

import yaml

from typosentinel_operator import names, specs
from typosentinel_operator.cachespec import CachePolicySpec
from typosentinel_operator.desired import cachesection, mounts, servingsections
from typosentinel_operator.desired.inputs import Inputs, Manifest, child
from typosentinel_operator.specs import CorpusSpec

# libyaml's, where the library has it: it is made at each look at a ScanService.
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def document(inputs: Inputs) -> str:
    """The configuration document as YAML text; equal inputs give equal bytes."""
    content: dict[str, Any] = {
        "apiVersion": names.API_VERSION,
        "kind": names.CONFIG_KIND,
        "logLevel": inputs.spec.log_level,
    }
    if inputs.spec.ecosystems is not None:
        content["ecosystems"] = sorted(inputs.spec.ecosystems)
    if inputs.cache is not None:
        content["cache"] = cachesection.section(inputs.cache)
    if inputs.spec.corpus is not None:
        content["corpus"] = _corpus(inputs.spec.corpus)
    if detection := _detection(inputs):
        content["detection"] = detection
    content |= servingsections.sections(inputs.spec)
    return yaml.dump(content, Dumper=_DUMPER, sort_keys=True)


def _detection(inputs: Inputs) -> dict[str, str]:
    """The lists referred to, whether they are there or not: a server without one says so and goes on."""
    referred = specs.config_maps(inputs.spec)
    return {
        name: f"{mounts.REFERENCES[field].directory}/{key}"
        for field, (name, key) in specs.DOCUMENTS.items()
        if field in referred
    }


def _corpus(spec: CorpusSpec) -> dict[str, Any]:
    content: dict[str, Any] = {"refreshInterval": spec.refresh_interval, "maxLossPercent": spec.max_loss_percent}
    if spec.max_age is not None:
        content["maxAge"] = spec.max_age
    source = spec.source
    if source is None or source.builtin is not None:
        content["source"] = {"builtin": {}}
    elif source.config_map_ref is not None:
        content["source"] = {"directory": names.CORPUS_DIRECTORY}
    else:
        content["source"] = {"url": source.url} | ({"sha256": source.sha256} if source.sha256 else {})
        content["stateDir"] = names.STATE_DIRECTORY
    return content


def cache_of(config_map: Manifest, deployment: Manifest | None) -> CachePolicySpec | None:
    """The cache settings in a ConfigMap of ours, or None where it holds none that can be read.

    Args:
        config_map: the ConfigMap.
        deployment: the Deployment, which knows the Secrets to which the settings refer.
    """
    try:
        content = yaml.safe_load(config_map["data"][names.CONFIG_KEY])
        return cachesection.spec_of(content["cache"], mounts.mounted_secrets(deployment))
    except (KeyError, TypeError, ValueError, AttributeError, yaml.YAMLError):
        return None


def document_hash(text: str) -> str:
    """The hash by which a server says which document it runs with: sha256: and 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def config_map(inputs: Inputs) -> Manifest:
    """The ConfigMap with the document."""
    return child(names.CONFIG_MAP, inputs, {"data": {names.CONFIG_KEY: document(inputs)}})
