"""The Secret with the token of the scanners' administrative port."""

import base64

from typosentinel_operator import names
from typosentinel_operator.desired.inputs import Inputs, Manifest, owned


def secret(inputs: Inputs, token: str) -> Manifest:
    """The Secret, without a hash of itself: nobody will compare it.

    It isn't immutable: kubelets don't look again at Secrets that are, not even when another has taken the name.
    """
    data = {names.ADMIN_TOKEN_KEY: base64.b64encode(token.encode()).decode()}
    return owned(names.SECRET, inputs, names.admin_secret_name(inputs.name), {"type": "Opaque", "data": data})
