"""The document's section `cache`, and the way back to the CachePolicy from which it was made.

What a user leaves out is left out here, too: the server has defaults of its own.
"""

from collections.abc import Mapping
from typing import Any

from typosentinel_operator.cachespec import (
    ENCRYPTION_KEY_REFERENCE,
    REDIS_URL_REFERENCE,
    CachePolicySpec,
    EvidenceCache,
    MemoryCache,
)
from typosentinel_operator.desired import mounts
from typosentinel_operator.fields import SecretKeyReference

Section = dict[str, Any]
# A tier of the cache in Redis, and the file that holds what its Secret does: (section, key, reference, way to it).
_FILES = (
    ("redis", "urlFile", REDIS_URL_REFERENCE, ("external", "urlSecretRef")),
    ("encryption", "keyFile", ENCRYPTION_KEY_REFERENCE, ("keySecretRef",)),
)


def section(spec: CachePolicySpec) -> Section:
    """What the document says of the cache. Secrets are not in it, but the files in which pods have them."""
    content: Section = {"memory": _memory(spec.memory)}
    if spec.evidence is not None:
        content["evidence"] = _memory(spec.evidence)
    if spec.redis is not None:
        plain = spec.redis.model_dump(by_alias=True, exclude={"external"})
        content["redis"] = plain | {"urlFile": mounts.SECRETS[REDIS_URL_REFERENCE].path}
    if spec.encryption is not None:
        content["encryption"] = {"keyFile": mounts.SECRETS[ENCRYPTION_KEY_REFERENCE].path}
    if spec.stale_while_revalidate is not None:
        content["staleWhileRevalidate"] = spec.stale_while_revalidate
    if spec.compression is not None:
        content["compression"] = spec.compression.model_dump(by_alias=True)
    if spec.preload is not None:
        chosen = sorted((one.ecosystem, one.name) for one in spec.preload.names)
        named = [{"ecosystem": ecosystem, "name": name} for ecosystem, name in chosen]
        content["preload"] = {"popular": spec.preload.popular} | ({"names": named} if named else {})
    return content


def spec_of(content: Any, secrets: Mapping[str, SecretKeyReference]) -> CachePolicySpec:
    """The CachePolicy of which `section` made this.

    Args:
        content: the section, as it was read.
        secrets: what pods mount; a part whose Secret is not among them is left out.

    Raises:
        ValueError, TypeError: somebody else wrote this.
    """
    if not isinstance(content, dict):
        raise TypeError("a section is a mapping")
    policy = dict(content)
    for name, file, field, way in _FILES:
        if name not in policy:
            continue
        plain = {key: value for key, value in policy.pop(name).items() if key != file}
        if field in secrets:
            reference: Section = secrets[field].model_dump(by_alias=True)
            for step in reversed(way):
                reference = {step: reference}
            policy[name] = plain | reference
    return CachePolicySpec.model_validate(policy)


def _memory(tier: MemoryCache | EvidenceCache) -> Section:
    content = tier.model_dump(by_alias=True, exclude_none=True)
    # A size without unit may come as a number, and the server reads texts.
    return content | {key: str(value) for key, value in content.items() if key == "maxBytes"}
