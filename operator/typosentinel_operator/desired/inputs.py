"""What the builders are given, and the metadata that all children share."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from typosentinel_operator import names
from typosentinel_operator.cachespec import CachePolicySpec
from typosentinel_operator.fields import SecretKeyReference
from typosentinel_operator.scalingspec import ScalingPolicySpec
from typosentinel_operator.specs import ScanServiceSpec

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that decides about the children of one ScanService.

    Attributes:
        name: the ScanService's name.
        namespace: its namespace, which is also the children's.
        uid: its uid, for owner references.
        spec: what the user wants.
        cache: the CachePolicy's spec, or None for the scanner's own settings.
        policy: the ScalingPolicy's spec, or None where none is in use.
        scaling: the same with what people ask for by annotations.
        replicas: number of pods, or None where it is an autoscaler's to decide.
        default_image: image where the spec names none.
        kept: ConfigMaps that stay mounted while those that the spec refers to can't be used, by the field of these.
        kept_secrets: the same of Secrets.
        shard: name of the operator's shard, or empty where there is but one.
    """

    name: str
    namespace: str
    uid: str
    spec: ScanServiceSpec
    cache: CachePolicySpec | None
    policy: ScalingPolicySpec | None
    scaling: ScalingPolicySpec | None
    replicas: int | None
    default_image: str
    kept: Mapping[str, str] = field(default_factory=dict)
    kept_secrets: Mapping[str, SecretKeyReference] = field(default_factory=dict)
    shard: str = ""


def selector_labels(scan_service: str) -> dict[str, str]:
    """Labels by which the pods of a ScanService are selected; they never change (a Deployment's selector can't)."""
    return {names.LABEL_NAME: names.APP_NAME, names.LABEL_SCAN_SERVICE: scan_service}


def child_labels(scan_service: str) -> dict[str, str]:
    """Labels of every child. No app.kubernetes.io/instance: Argo CD would take the child for an app's own resource."""
    return {
        **selector_labels(scan_service),
        names.LABEL_COMPONENT: "scanner",
        names.LABEL_MANAGED_BY: names.FIELD_MANAGER,
    }


def child(kind: names.Kind, inputs: Inputs, body: Manifest, annotations: Mapping[str, str] | None = None) -> Manifest:
    """A child's manifest: `body` with identity, labels, owner, annotations and the hash of itself."""
    manifest = owned(kind, inputs, names.child_name(inputs.name), body)
    if annotations:
        manifest["metadata"]["annotations"] = dict(annotations)
    digest = {names.ANNOTATION_MANIFEST_HASH: manifest_hash(manifest)}
    manifest["metadata"]["annotations"] = digest | manifest["metadata"].get("annotations", {})
    return manifest


def owned(kind: names.Kind, inputs: Inputs, name: str, body: Manifest) -> Manifest:
    """The manifest of something that goes with the ScanService: `body` with identity, labels and owner."""
    return {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {
            "name": name,
            "namespace": inputs.namespace,
            # Not on the pods of a Deployment, which would all be replaced when their service moves to another shard.
            "labels": child_labels(inputs.name) | ({names.LABEL_SHARD: inputs.shard} if inputs.shard else {}),
            "ownerReferences": [
                {
                    "apiVersion": names.API_VERSION,
                    "kind": names.SCAN_SERVICE.name,
                    "name": inputs.name,
                    "uid": inputs.uid,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        **body,
    }


def manifest_hash(manifest: Manifest) -> str:
    """First 16 hexadecimal digits of the SHA-256 of the manifest's canonical JSON."""
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
