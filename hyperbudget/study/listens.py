"""Whether anything listens at an address, asked at once: what would connect to it tries for minutes."""

from __future__ import annotations

import socket


def silent(host: str, port: int, timeout: float = 5.0) -> str | None:
    """What to tell the user when nothing answers at `host` and `port` within `timeout` seconds; else None."""
    try:
        socket.create_connection((host, port), timeout).close()
    except OSError as error:
        return f"nothing answers at {host}, port {port} ({error.strerror or error})"
    return None
