"""The document's sections `limits`, `workers` and `providers`: each is there only where a user said something of it."""

from typing import Any

from typosentinel_operator.desired import mounts
from typosentinel_operator.servingspec import API_KEYS_REFERENCE, Providers, RateLimits, Workers
from typosentinel_operator.specs import ScanServiceSpec

Section = dict[str, Any]


def sections(spec: ScanServiceSpec) -> dict[str, Section]:
    """Those sections of which the spec says something."""
    found = {
        "limits": _limits(spec.rate_limit) if spec.rate_limit else {},
        "workers": _workers(spec.workers) if spec.workers else {},
        "providers": _providers(spec.providers) if spec.providers else {},
    }
    return {name: section for name, section in found.items() if section}


def _limits(spec: RateLimits) -> Section:
    content: Section = {}
    if spec.default is not None:
        content["default"] = spec.default.model_dump(by_alias=True, exclude_none=True)
    if spec.per_endpoint:
        content["endpoints"] = {
            one.endpoint: one.model_dump(by_alias=True, exclude_none=True, exclude={"endpoint"})
            for one in spec.per_endpoint
        }
    if spec.api_keys_secret_ref is not None:
        content["apiKeys"] = {"file": mounts.SECRETS[API_KEYS_REFERENCE].path}
    if spec.trusted_proxies:
        content["trustedProxies"] = sorted(spec.trusted_proxies)
    return content


def _workers(spec: Workers) -> Section:
    """Of the pool alone: how many processes serve is an argument of the command line."""
    return spec.pool.model_dump(by_alias=True) if spec.pool is not None else {}


def _providers(spec: Providers) -> Section:
    if not spec.registries and spec.vulnerabilities is None:
        return {}
    content: Section = {
        "when": spec.when,
        "timeout": spec.timeout,
        "maxConcurrency": spec.max_concurrency,
    }
    if spec.registries:
        chosen = sorted(spec.registries, key=lambda one: (one.ecosystem, one.shape))
        content["registries"] = [one.model_dump(by_alias=True) for one in chosen]
    if spec.vulnerabilities is not None:
        content["vulnerabilities"] = spec.vulnerabilities.model_dump(by_alias=True)
    if spec.allow_private:
        content["allowPrivate"] = sorted(spec.allow_private)
    return content
