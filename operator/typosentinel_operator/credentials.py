"""As whom we speak to the API server: the pod's ServiceAccount, or a user's kubeconfig."""

from typing import Any, Final
from urllib.request import getproxies

import yaml
from kubernetes.aio import client, config
from kubernetes.aio.config.config_exception import ConfigException

from typosentinel_operator.errors import Permanent

# What the library raises over a kubeconfig that is no YAML, lacks a part, or names certificates that are none.
_UNUSABLE: Final = (ConfigException, OSError, ValueError, LookupError, TypeError, AttributeError, yaml.YAMLError)


class PlainClient(client.ApiClient):  # type: ignore[misc]
    """The library's client for objects that are plain JSON already.

    It would copy each of them level by level, in search of models and dates: a fifth of a request's time.
    """

    def sanitize_for_serialization(self, obj: Any) -> Any:
        """The object as it is."""
        return obj


async def client_of(kubeconfig: str | None, user_agent: str) -> client.ApiClient:
    """A client of the library, configured.

    Args:
        kubeconfig: path of one to use outside a cluster, or None for the usual one of the user.
        user_agent: how we call ourselves in audit logs.

    Raises:
        Permanent: there is neither a ServiceAccount nor a usable kubeconfig.
    """
    configuration = client.Configuration()
    try:
        config.load_incluster_config(client_configuration=configuration)
    except ConfigException:
        try:
            await config.load_kube_config(config_file=kubeconfig, client_configuration=configuration)
        except _UNUSABLE as error:
            raise _no_credentials(error) from None
    # Where no proxy is set, nobody need look for one, nor for a netrc, in two threads for each request.
    configuration.client_session_kwargs = {"trust_env": bool(getproxies())}
    try:
        api = PlainClient(configuration)
    except _UNUSABLE as error:
        raise _no_credentials(error) from None
    api.user_agent = user_agent
    return api


def _no_credentials(error: Exception) -> Permanent:
    words = " ".join(str(error).split()) or type(error).__name__
    if not isinstance(error, (ConfigException, OSError)):
        words = f"it can't be read ({words})"
    return Permanent(
        "NoCredentials", f"no ServiceAccount in this pod and no usable kubeconfig (--kubeconfig, KUBECONFIG): {words}"
    )
