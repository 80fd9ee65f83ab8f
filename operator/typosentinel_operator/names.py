"""Every string that others see: API group, kinds, labels, annotations, child names, reasons, metric names.

A name in this file is a promise: users select by these labels, alert on these reasons and graph these
metrics. Renaming one is a breaking change and belongs in the changelog.
"""

from dataclasses import dataclass
from typing import Final

GROUP: Final = "typosentinel.io"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
CATEGORY: Final = "typosentinel"

# The one field manager of everything that the operator applies, and the one that holds
# `spec.replicas` for the moment between giving it up and the HPA's first write.
FIELD_MANAGER: Final = "typosentinel-operator"
HANDOVER_MANAGER: Final = "typosentinel-operator-handover"
# Holds the webhook's certificates and where the API server is told to trust them.
CERTIFICATE_MANAGER: Final = "typosentinel-operator-certificates"


@dataclass(frozen=True, slots=True)
class Kind:
    """A Kubernetes kind with what its REST path needs.

    Attributes:
        api_version: group and version as objects carry them, e.g. ``apps/v1`` or ``v1``.
        name: the kind, e.g. ``Deployment``.
        plural: the resource in the path, e.g. ``deployments``.
    """

    api_version: str
    name: str
    plural: str

    @property
    def group(self) -> str:
        """The API group; the core group is the empty string."""
        return self.api_version.rpartition("/")[0]


SCAN_SERVICE: Final = Kind(API_VERSION, "ScanService", "scanservices")
CACHE_POLICY: Final = Kind(API_VERSION, "CachePolicy", "cachepolicies")
SCALING_POLICY: Final = Kind(API_VERSION, "ScalingPolicy", "scalingpolicies")

DEPLOYMENT: Final = Kind("apps/v1", "Deployment", "deployments")
SERVICE: Final = Kind("v1", "Service", "services")
CONFIG_MAP: Final = Kind("v1", "ConfigMap", "configmaps")
SERVICE_ACCOUNT: Final = Kind("v1", "ServiceAccount", "serviceaccounts")
AUTOSCALER: Final = Kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
DISRUPTION_BUDGET: Final = Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets")
POD: Final = Kind("v1", "Pod", "pods")
SECRET: Final = Kind("v1", "Secret", "secrets")
EVENT: Final = Kind("events.k8s.io/v1", "Event", "events")
LEASE: Final = Kind("coordination.k8s.io/v1", "Lease", "leases")
WEBHOOK_CONFIGURATION: Final = Kind(
    "admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations"
)

CUSTOM_KINDS: Final = (SCAN_SERVICE, CACHE_POLICY, SCALING_POLICY)
# In the order in which they are applied: what a pod needs comes before the pods.
CHILD_KINDS: Final = (SERVICE_ACCOUNT, CONFIG_MAP, SERVICE, DEPLOYMENT, DISRUPTION_BUDGET, AUTOSCALER)

LABEL_NAME: Final = "app.kubernetes.io/name"
LABEL_COMPONENT: Final = "app.kubernetes.io/component"
LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
LABEL_SCAN_SERVICE: Final = f"{GROUP}/scanservice"
# On pods: the hash of the template that they were made from.
LABEL_TEMPLATE: Final = f"{GROUP}/template"
# On children, the name of the shard that looks after them, where there are shards.
LABEL_SHARD: Final = f"{GROUP}/shard"
APP_NAME: Final = "typosentinel-scanner"
MANAGED_SELECTOR: Final = f"{LABEL_MANAGED_BY}={FIELD_MANAGER}"

# On children: the hash of what we want of them, so that a field which we give up counts as a change.
ANNOTATION_MANIFEST_HASH: Final = f"{GROUP}/manifest-hash"
# On autoscalers: what the policy says, whatever a pause or an override makes of it.
ANNOTATION_SCALING_POLICY: Final = f"{GROUP}/scaling-policy"
# On pods: any change of a pod makes its kubelet look at mounted ConfigMaps at once instead of in a minute.
ANNOTATION_REFRESH: Final = f"{GROUP}/configuration-refresh"

# On ScanServices, by people: what the operator is to leave alone, and how many pods are to run until when and why.
ANNOTATION_PAUSED: Final = f"{GROUP}/paused"
ANNOTATION_OVERRIDE_REPLICAS: Final = f"{GROUP}/override-replicas"
ANNOTATION_OVERRIDE_UNTIL: Final = f"{GROUP}/override-until"
ANNOTATION_OVERRIDE_REASON: Final = f"{GROUP}/override-reason"
OVERRIDE_ANNOTATIONS: Final = (ANNOTATION_OVERRIDE_REPLICAS, ANNOTATION_OVERRIDE_UNTIL, ANNOTATION_OVERRIDE_REASON)

CHILD_SUFFIX: Final = "-scanner"
# 63 (a Service's name and a label's value) less the suffix.
MAX_NAME: Final = 63 - len(CHILD_SUFFIX)

CONTAINER: Final = "server"
PORT_NAME: Final = "http"
PORT: Final = 8080
ADMIN_PORT_NAME: Final = "admin"
ADMIN_PORT: Final = 8081
ADMIN_TOKEN_KEY: Final = "token"  # noqa: S105 - a key's name
CONFIG_DIRECTORY: Final = "/etc/typosentinel"
CONFIG_KEY: Final = "config.yaml"
CONFIG_KIND: Final = "ServerConfiguration"
# Beside the configuration and not in it: a volume cannot be mounted inside a read-only one.
CORPUS_DIRECTORY: Final = "/etc/typosentinel-corpus"
PRIVATE_NAMES_DIRECTORY: Final = "/etc/typosentinel-private-names"
ALLOW_LIST_DIRECTORY: Final = "/etc/typosentinel-allow-list"
# What Secrets hold, each in a place of its own.
REDIS_DIRECTORY: Final = "/etc/typosentinel-redis"
CACHE_KEY_DIRECTORY: Final = "/etc/typosentinel-cache-key"
API_KEYS_DIRECTORY: Final = "/etc/typosentinel-api-keys"
ADMIN_DIRECTORY: Final = "/etc/typosentinel-admin"
# Keys of the ConfigMaps that users write.
PRIVATE_NAMES_KEY: Final = "private-names.yaml"
ALLOW_LIST_KEY: Final = "allow-list.yaml"
# What the server calls these lists, in its configuration and in its word about itself.
PRIVATE_NAMES: Final = "privateNames"
ALLOW_LIST: Final = "allowList"
STATE_DIRECTORY: Final = "/var/lib/typosentinel"

# The webhook as the API server names it to whom it refuses something, and where it is asked.
WEBHOOK: Final = f"validate.{GROUP}"
WEBHOOK_PATH: Final = "/validate"
WEBHOOK_DIRECTORY: Final = "/etc/typosentinel-webhook"
# Keys of the Secret with its certificates, as cert-manager calls them; the authority's own key is never mounted.
AUTHORITY_CERTIFICATES_KEY: Final = "ca.crt"
AUTHORITY_PRIVATE_KEY: Final = "ca.key"
SERVING_CERTIFICATE_KEY: Final = "tls.crt"
SERVING_PRIVATE_KEY: Final = "tls.key"


def child_name(scan_service: str) -> str:
    """Name of every child of a ScanService."""
    return f"{scan_service}{CHILD_SUFFIX}"


def admin_secret_name(scan_service: str) -> str:
    """Name of the Secret with the token of the administrative port."""
    return f"{child_name(scan_service)}-admin"


class Condition:
    """Types of conditions."""

    READY: Final = "Ready"
    RECONCILING: Final = "Reconciling"
    STALLED: Final = "Stalled"
    AVAILABLE: Final = "Available"
    CONFIGURATION_CURRENT: Final = "ConfigurationCurrent"
    POLICY_RESOLVED: Final = "PolicyResolved"
    REFERENCES_RESOLVED: Final = "ReferencesResolved"
    SCALING_ACTIVE: Final = "ScalingActive"
    PAUSED: Final = "Paused"
    SCALING_PAUSED: Final = "ScalingPaused"
    OVERRIDE_ACTIVE: Final = "OverrideActive"


class Reason:
    """Reasons of conditions and Events; tests and users filter on them."""

    READY: Final = "Ready"
    PODS_NOT_READY: Final = "PodsNotReady"
    CONFIGURATION_PROPAGATING: Final = "ConfigurationPropagating"
    ROLLING_OUT: Final = "RollingOut"
    POLICY_NOT_FOUND: Final = "PolicyNotFound"
    POLICIES_RESOLVED: Final = "PoliciesResolved"
    NO_POLICIES: Final = "NoPolicies"
    CONFIG_MAP_NOT_FOUND: Final = "ConfigMapNotFound"
    CONFIG_MAP_KEY_NOT_FOUND: Final = "ConfigMapKeyNotFound"
    SECRET_NOT_FOUND: Final = "SecretNotFound"  # noqa: S105 - a reason
    ADMIN_TOKEN_REFUSED: Final = "AdminTokenRefused"  # noqa: S105 - a reason
    LIST_REFUSED: Final = "ListRefused"
    REFERENCES_RESOLVED: Final = "ReferencesResolved"
    NO_REFERENCES: Final = "NoReferences"
    NOT_LOOKED_AT: Final = "NotLookedAt"
    INVALID_SPEC: Final = "InvalidSpec"
    INVALID_POLICY: Final = "InvalidPolicy"
    NAME_CONFLICT: Final = "NameConflict"
    FOREIGN_AUTOSCALER: Final = "ForeignAutoscaler"
    APPLY_REFUSED: Final = "ApplyRefused"
    APPLY_FAILING: Final = "ApplyFailing"
    SETTLED: Final = "Settled"
    PROGRESSING: Final = "Progressing"
    NOT_STALLED: Final = "NotStalled"
    ENDPOINTS_READY: Final = "EndpointsReady"
    NO_ENDPOINTS: Final = "NoEndpoints"
    SCALED_TO_ZERO: Final = "ScaledToZero"
    ALL_PODS_CURRENT: Final = "AllPodsCurrent"
    PODS_UNREACHABLE: Final = "PodsUnreachable"
    NO_PODS: Final = "NoPods"
    NO_SCALING_POLICY: Final = "NoScalingPolicy"
    AUTOSCALER_PENDING: Final = "AutoscalerPending"
    PAUSED: Final = "Paused"
    NOT_PAUSED: Final = "NotPaused"
    SCALE_IN_PAUSED: Final = "ScaleInPaused"
    SCALE_OUT_PAUSED: Final = "ScaleOutPaused"
    OVERRIDE_IN_EFFECT: Final = "OverrideInEffect"
    OVERRIDE_ENDED: Final = "OverrideEnded"
    NO_OVERRIDE: Final = "NoOverride"
    INVALID_ANNOTATION: Final = "InvalidAnnotation"
    CHILD_REPAIRED: Final = "ChildRepaired"
    CHILD_CREATED: Final = "ChildCreated"
    CHILD_PRUNED: Final = "ChildPruned"
    CHILD_RECREATED: Final = "ChildRecreated"
    CHILD_UNCHANGEABLE: Final = "ChildUnchangeable"
    ACCEPTED: Final = "Accepted"


class Metric:
    """The operator's own metrics, by Prometheus' naming rules."""

    RECONCILE_DURATION: Final = "typosentinel_operator_reconcile_duration_seconds"
    RECONCILES: Final = "typosentinel_operator_reconciles_total"
    WRITES: Final = "typosentinel_operator_writes_total"
    QUEUE_DEPTH: Final = "typosentinel_operator_workqueue_depth"
    QUEUE_ADDS: Final = "typosentinel_operator_workqueue_adds_total"
    QUEUE_RETRIES: Final = "typosentinel_operator_workqueue_retries_total"
    QUEUE_LATENCY: Final = "typosentinel_operator_workqueue_queue_duration_seconds"
    QUEUE_OLDEST: Final = "typosentinel_operator_workqueue_oldest_seconds"
    RESYNC_DURATION: Final = "typosentinel_operator_resync_duration_seconds"
    RESYNC_FINDS: Final = "typosentinel_operator_resync_finds_total"
    EVENTS_DROPPED: Final = "typosentinel_operator_events_dropped_total"
    LOOP_DRIFT: Final = "typosentinel_operator_loop_drift_seconds"
    RESYNC_AGE: Final = "typosentinel_operator_resync_age_seconds"
    OBJECTS: Final = "typosentinel_operator_objects"
    LEADER: Final = "typosentinel_operator_leader"
    LEADER_TRANSITIONS: Final = "typosentinel_operator_leader_transitions_total"
    LEASE_FAILURES: Final = "typosentinel_operator_lease_failures_total"
    BUILD_INFO: Final = "typosentinel_operator_build_info"


class WebhookMetric:
    """Metrics of the admission webhook."""

    REQUESTS: Final = "typosentinel_webhook_requests_total"
    REQUEST_DURATION: Final = "typosentinel_webhook_request_duration_seconds"
    CERTIFICATE_EXPIRY: Final = "typosentinel_webhook_certificate_expiry_timestamp_seconds"
    CERTIFICATE_LOADS: Final = "typosentinel_webhook_certificate_loads_total"
    BUILD_INFO: Final = "typosentinel_webhook_build_info"
