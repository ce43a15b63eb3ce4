"""Sockets bound to addresses that people named."""

import asyncio
import errno
import os
import socket
import stat
from typing import Any

from ansam.errors import ResourceError


async def look_up(host: str, port: int, kind: socket.SocketKind) -> list[tuple[Any, ...]]:
    """Return the addresses of a host, as `socket.getaddrinfo` does.

    Raises:
        OSError: There are none, or the name is none.
    """
    try:
        return [*await asyncio.get_running_loop().getaddrinfo(host, port, type=kind)]
    except UnicodeError as error:
        # What IDNA refuses: an empty label, or one of more than 63 characters.
        raise socket.gaierror(socket.EAI_NONAME, "that is no name of a host") from error


def remove_dead_socket(path: str, what: str) -> None:
    """Remove a Unix socket that nobody listens on; that nothing is there is well.

    Args:
        path: Of the socket.
        what: How an error names its purpose.

    Raises:
        ResourceError: Something else stands there, or somebody listens.
    """
    taken = ResourceError(f"{what} {path}: a file of this name exists", "remove it or choose another path")
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise taken
        with socket.socket(socket.AF_UNIX) as probe:
            probe.setblocking(False)
            probe.connect(path)
    except FileNotFoundError:
        return
    except ConnectionRefusedError:
        os.unlink(path)
        return
    except BlockingIOError:
        pass  # more call there than its owner has taken
    except OSError as error:
        raise taken from error
    raise ResourceError(f"{what} {path} is in use", "stop its owner or choose another path")


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
    except (TypeError, UnicodeError) as error:
        sock.close()
        raise ResourceError(f"{what} on {host}:{port}: that is no address", "name an IP address") from error
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
