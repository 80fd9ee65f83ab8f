"""Ports that several processes share."""

import contextlib
import socket

from typosentinel_server.errors import DomainError


def shared_socket(host: str, port: int) -> socket.socket:
    """A socket, bound and not listening, to a port that others of this server may share. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    found = socket.socket(family, kind, protocol)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        found.bind(address)
    except BaseException:
        found.close()
        raise
    found.setblocking(False)  # noqa: FBT003 - the library takes it so
    return found


def reserved(host: str, port: int) -> socket.socket:
    """A socket, bound and not listening, that keeps a port for processes that are yet to come.

    Raises:
        DomainError: the address cannot be listened on.
    """
    try:
        # Somebody else may have it in a way that allows for sharing, and would share it with us.
        with contextlib.closing(socket.create_server((host, port))) as probe:
            port = probe.getsockname()[1]
        return shared_socket(host, port)
    except (OSError, OverflowError) as error:
        raise cannot_listen(host, port, error) from error


def cannot_listen(host: str, port: int, error: Exception) -> DomainError:
    """The refusal of an address."""
    return DomainError(
        "CANNOT_LISTEN",
        f"cannot listen on {host} port {port}: {getattr(error, 'strerror', '') or error}",
        "Choose another --port, or stop what listens there.",
    )
