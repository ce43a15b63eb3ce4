"""Sockets bound to addresses that people named."""

import errno
import socket

from ansam.errors import ResourceError


def bind_socket(kind: socket.SocketKind, host: str, port: int, what: str) -> socket.socket:
    """Return a non-blocking socket bound to an address.

    Args:
        kind: `SOCK_DGRAM` or `SOCK_STREAM`.
        host: Local IP address.
        port: 0 for any.
        what: How an error names its purpose, such as ``SIP over udp``.

    Raises:
        ResourceError: The address is in use, not ours, or not allowed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, kind)
    sock.setblocking(False)
    if kind == socket.SOCK_STREAM:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        remedies = {
            errno.EADDRINUSE: "stop the other program or choose another port",
            errno.EADDRNOTAVAIL: "choose an address of this machine",
            errno.EACCES: "choose a port above 1023",
        }
        remedy = remedies.get(error.errno or 0, "choose another address")
        reason = (error.strerror or str(error)).lower()
        raise ResourceError(f"{what} on {host}:{port}: {reason}", remedy) from error
    return sock
