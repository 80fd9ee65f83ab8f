"""Kubeconfig files: written as JSON, which is YAML too, so that no library is needed."""

import base64
import json
from pathlib import Path

from hack.cluster import state


def render(server: str, pki: Path, certificate: str, context: str = state.CONTEXT) -> str:
    """Return a kubeconfig with the certificates inside, so that it stays good when it is copied."""

    def encoded(name: str) -> str:
        return base64.b64encode((pki / name).read_bytes()).decode("ascii")

    user = f"{context}-{certificate}"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [{"name": context, "cluster": {"server": server, "certificate-authority-data": encoded("ca.crt")}}],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": encoded(f"{certificate}.crt"),
                    "client-key-data": encoded(f"{certificate}.key"),
                },
            }
        ],
        "contexts": [{"name": context, "context": {"cluster": context, "user": user}}],
    }
    return json.dumps(document, indent=2) + "\n"


def wrapper(program: Path, kubeconfig: Path) -> str:
    """Return a script that runs a program against this cluster alone, whatever KUBECONFIG says."""
    return f'#!/bin/sh\nKUBECONFIG="{kubeconfig}" exec "{program}" "$@"\n'
