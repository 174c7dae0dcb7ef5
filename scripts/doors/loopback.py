"""Keeps a client that is being tested from reaching anything but this machine."""

import ipaddress
import socket

_connect = socket.socket.connect
_look_up = socket.getaddrinfo
refused = []


def _is_local(host):
    if host in ("localhost", None):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _guarded_connect(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
        refused.append(address[0])
        raise OSError(f"a client under test asked for {address[0]}")
    return _connect(self, address)


def _guarded_look_up(host, *rest, **more):
    name = host.decode() if isinstance(host, bytes) else host
    if not _is_local(name):
        refused.append(name)
        raise OSError(f"a client under test asked for {name}")
    return _look_up(host, *rest, **more)


def watch():
    """Refuses and notes every other address from now on."""
    socket.socket.connect = _guarded_connect
    socket.getaddrinfo = _guarded_look_up
    # The control: it does refuse, and notes it.
    try:
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    except OSError:
        pass
    assert refused == ["192.0.2.1"], refused
    refused.clear()


def nothing_was_refused():
    """Fails when a client asked for another machine."""
    assert not refused, f"asked for {refused}"
