"""What a request may reach: the parts that `create_app` wired, who is asking from where, and what time it is."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from flask import current_app, request

from config.settings import IPNetwork, Settings

if TYPE_CHECKING:
    from service.db import Database
    from service.judges import Judges
    from service.web.throttle import Throttle

_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Parts:
    """The wired service, one a process."""

    settings: Settings
    database: Database
    judges: Judges
    throttle: Throttle
    clock: Callable[[], datetime]
    metrics: Any


def parts() -> Parts:
    """The parts of the application that answers this request."""
    return cast("Parts", current_app.extensions["firstword"])


def now() -> datetime:
    """The time, from the application's clock."""
    return parts().clock()


def utc_now() -> datetime:
    """The clock of a real service."""
    return datetime.now(UTC)


def client_address() -> IPAddress | None:
    """The reader's address: the peer, or, where the peer is a configured proxy, the nearest address it vouches for."""
    peer = _address(request.environ.get("REMOTE_ADDR", ""))
    trusted = parts().settings.trusted_proxies
    if peer is None or not _among(peer, trusted):
        return peer
    forwarded = ",".join(request.headers.getlist("X-Forwarded-For"))
    for hop in reversed(forwarded.split(",")):
        address = _address(hop.strip())
        if address is None:
            return peer
        if not _among(address, trusted):
            return address
        peer = address
    return peer


def _address(text: str) -> IPAddress | None:
    try:
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _among(address: IPAddress, networks: tuple[IPNetwork, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def client_origin() -> str:
    """The scheme and host under which the client reached us: the request's, or what a configured proxy says of it.

    A host that is none is answered with the installation's own address.
    """
    peer = _address(request.environ.get("REMOTE_ADDR", ""))
    scheme, host = request.scheme, request.host
    if peer is not None and _among(peer, parts().settings.trusted_proxies):
        scheme = _last(request.headers.getlist("X-Forwarded-Proto")) or scheme
        host = _last(request.headers.getlist("X-Forwarded-Host")) or host
    if scheme not in ("http", "https") or not _HOST.fullmatch(host):
        return parts().settings.public_url
    return f"{scheme}://{host}"


def _last(values: list[str]) -> str:
    """What the nearest proxy added."""
    return values[-1].rpartition(",")[2].strip() if values else ""


def client_network() -> str:
    """The reader's network as a keyed hash: one address in IPv4, a /64 in IPv6. The key changes with the ISO week."""
    address = client_address()
    if address is None:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        address = ipaddress.IPv6Network((address, 64), strict=False).network_address
    year, week, _ = now().isocalendar()
    key = f"{parts().settings.signing_keys[0]}:network:{year}-{week}".encode()
    return hmac.new(key, address.packed, hashlib.sha256).hexdigest()[:24]
