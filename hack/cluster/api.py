"""The few questions that the start-up asks the API server, without kubectl: one request instead of one process."""

import http
import http.client
import json
import ssl
from pathlib import Path
from typing import Any


class Api:
    """Asks one API server with a client certificate."""

    def __init__(self, host: str, port: int, pki: Path, certificate: str = "admin") -> None:
        """Remember where and as whom to ask."""
        self.host = host
        self.port = port
        self.pki = pki
        self.certificate = certificate

    def get(self, path: str, seconds: float = 5) -> tuple[int, bytes]:
        """Return status and body; status 0 when nobody answers."""
        connection: http.client.HTTPSConnection | None = None
        try:
            context = ssl.create_default_context(cafile=str(self.pki / "ca.crt"))
            context.load_cert_chain(self.pki / f"{self.certificate}.crt", self.pki / f"{self.certificate}.key")
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=seconds, context=context)
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            if connection is not None:
                connection.close()

    def document(self, path: str) -> dict[str, Any] | None:
        """Return an object, or nothing when it is not there (yet)."""
        status, body = self.get(path)
        if status != http.HTTPStatus.OK:
            return None
        loaded = json.loads(body)
        return loaded if isinstance(loaded, dict) else None

    def ready(self) -> bool:
        """Tell whether the API server says of itself that it is ready."""
        return self.has("/readyz")

    def has(self, path: str) -> bool:
        """Tell whether there is something at a path."""
        return self.get(path)[0] == http.HTTPStatus.OK

    def condition(self, path: str, kind: str) -> bool:
        """Tell whether an object has a condition that is true."""
        found = self.document(path) or {}
        conditions = found.get("status", {}).get("conditions", [])
        return any(entry.get("type") == kind and entry.get("status") == "True" for entry in conditions)
