"""The only opener of outgoing connections to addresses that others supply.

A webhook's URL is written by whoever holds an API key, and this machine can reach what that person cannot: the cloud's
metadata, the database, the router. So the door reads a URL strictly, resolves its name once, refuses unless every
answer is a public address, and connects to that very address, while the certificate is verified for the name. It
follows no redirect, knows no proxy, and spends a fixed time and a fixed number of bytes on each exchange.

It must not know what is sent, retry, or log; and nobody else may open a connection to an address from outside.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from service.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Resolver = Callable[[str, int], Sequence[str]]

LONGEST_URL = 2048
_PORTS = {"http": 80, "https": 443}
# Status line, headers, chunk borders and what is kept of the body, together.
ANSWER_BUDGET = 64 * 1024
# A name may have many addresses; a dead one must not use up the time of the others.
ADDRESSES_TRIED = 4

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9a-f:.]+\]|[0-9a-z.-]+)"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>[/?](?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?",
    re.ASCII | re.IGNORECASE,
)
# The last label holds a letter and is not hexadecimal: what ends in a number is an odd spelling of an address.
_NAME = re.compile(r"(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)+(?:xn--[a-z0-9-]{1,58}[a-z0-9]|[a-z]{2,63})", re.ASCII)
_LOCAL_NAMES = (".localhost", ".local", ".internal", ".home.arpa", ".onion", ".alt")

# RFC 6890 and its successors, with what the standard library calls global although nobody's public server is there
# (6to4 relays). IPv6 the other way round: only what is handed out as global unicast, less what is carved out of it.
# That leaves out loopback, fe80::/10, fec0::/10, fc00::/7, ff00::/8, ::/96 and ::ffff:0:0/96 (compatible and mapped
# forms), 64:ff9b::/96 and 64:ff9b:1::/48 (translation to IPv4), 100::/64, 5f00::/16.
_NOT_PUBLIC_V4 = (
    ipaddress.IPv4Network("0.0.0.0/8"),
    ipaddress.IPv4Network("10.0.0.0/8"),
    ipaddress.IPv4Network("100.64.0.0/10"),  # carrier-grade NAT
    ipaddress.IPv4Network("127.0.0.0/8"),
    ipaddress.IPv4Network("169.254.0.0/16"),  # link-local, where clouds keep their metadata
    ipaddress.IPv4Network("172.16.0.0/12"),
    ipaddress.IPv4Network("192.0.0.0/24"),
    ipaddress.IPv4Network("192.0.2.0/24"),
    ipaddress.IPv4Network("192.88.99.0/24"),  # 6to4 relays
    ipaddress.IPv4Network("192.168.0.0/16"),
    ipaddress.IPv4Network("198.18.0.0/15"),  # benchmarking
    ipaddress.IPv4Network("198.51.100.0/24"),
    ipaddress.IPv4Network("203.0.113.0/24"),
    ipaddress.IPv4Network("224.0.0.0/4"),  # multicast
    ipaddress.IPv4Network("240.0.0.0/4"),
)
_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = (
    ipaddress.IPv6Network("2001::/23"),  # Teredo, ORCHID, benchmarking
    ipaddress.IPv6Network("2001:db8::/32"),
    ipaddress.IPv6Network("2002::/16"),  # 6to4: carries any IPv4 address inside
    ipaddress.IPv6Network("3ffe::/16"),
    ipaddress.IPv6Network("3fff::/20"),
)


class OutboundRefused(Invalid):
    """Policy: this address is not one that the door opens to. Trying again will not help until it changes."""


class OutboundFailed(Unavailable):
    """The network: nobody answered, or not in time, or not in HTTP. Trying again may help."""


@dataclass(frozen=True)
class Answer:
    """What came back. Header names are in lower case; `first_bytes` is all of the body that was read."""

    status: int
    headers: Mapping[str, str]
    first_bytes: bytes
    latency_ms: int
    address: str


@dataclass(frozen=True)
class Target:
    """A URL that passed: a lower-case ASCII name or a plain public address, and what to ask for there."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """As in the Host header: brackets around IPv6, no port where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


def resolve_by_system(host: str, port: int) -> list[str]:
    """All addresses of a name, in the order in which the system would try them."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True)
class Door:
    """Opens to public addresses only, except for the exact host:port pairs in `allow`: the hole for development.

    `connect_timeout` bounds the look-up of the name, and each attempt to connect; `total_deadline` bounds everything;
    both in seconds. `max_body` is how many bytes of an answer's body are read and kept. `ca_file` replaces the system's
    authorities; verification itself cannot be turned off.
    """

    allow: frozenset[tuple[str, int]] = frozenset()
    require_https: bool = True
    connect_timeout: float = 5.0
    total_deadline: float = 20.0
    max_body: int = 512
    ca_file: str | None = None
    resolver: Resolver = resolve_by_system

    def check_url(self, url: str) -> str:
        """The URL in its plain form, for when an endpoint is registered; raises OutboundRefused. Resolves nothing."""
        return self._target(url).url

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Sends once and returns whatever status came back; raises OutboundRefused or OutboundFailed.

        Every call checks and resolves anew: a name that was public when it was registered may not be any more.
        """
        target, clock = self._target(url), _Clock(self.total_deadline)
        try:
            with self._connected(target, clock) as (wire, address):
                response = _asked(wire, target, body, headers)
                latency = clock.elapsed_ms()
                return Answer(
                    response.status, _flat(response.headers), _start_of_body(response, self.max_body), latency, address
                )
        except (OSError, http.client.HTTPException) as error:
            raise OutboundFailed(_why(error)) from error

    def _target(self, url: str) -> Target:
        match = _URL.fullmatch(url) if len(url) <= LONGEST_URL else None
        if match is None:
            raise OutboundRefused(
                "Write the address as https://name/path in at most 2,048 characters: no user, fragment, space or "
                "backslash, nothing outside ASCII (international names as xn--…), no port 0."
            )
        scheme, path = match["scheme"].lower(), match["path"] or "/"
        if self.require_https and scheme != "https":
            raise OutboundRefused("Only https addresses are accepted.")
        port = int(match["port"] or _PORTS[scheme])
        if port > 65535:
            raise OutboundRefused("There is no such port.")
        host = match["host"].lower().strip("[]")
        if not self._is_hole(host, port):
            host = _plain_host(match["host"].lower())
        return Target(scheme, host, port, path if path.startswith("/") else "/" + path)

    def _is_hole(self, host: str, port: int) -> bool:
        return (host, port) in self.allow

    @contextlib.contextmanager
    def _connected(self, target: Target, clock: _Clock) -> Iterator[tuple[_Wire, str]]:
        sock, address = self._dialled(self._addresses(target, clock), target.port, clock)
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.closing(sock))
            if target.scheme == "https":
                sock.settimeout(clock.left())
                sock = self._tls.wrap_socket(sock, server_hostname=target.host)
                stack.enter_context(contextlib.closing(sock))
            yield _Wire(sock, clock), address

    def _addresses(self, target: Target, clock: _Clock) -> list[str]:
        """The addresses to try; refused as a whole when one of them is not public."""
        found = [target.host]
        if not _is_literal(target.host):
            wait = clock.left(self.connect_timeout)
            found = list(dict.fromkeys(_in_time(lambda: self.resolver(target.host, target.port), wait)))
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no address")
        if not self._is_hole(target.host, target.port) and not all(map(is_public, found)):
            raise OutboundRefused("The name leads to an address that is not public.")
        return found[:ADDRESSES_TRIED]

    def _dialled(self, addresses: Sequence[str], port: int, clock: _Clock) -> tuple[socket.socket, str]:
        failure = OSError("no address")
        for address in addresses:
            try:
                # A literal address: nothing is resolved here.
                return socket.create_connection((address, port), clock.left(self.connect_timeout)), address
            except OSError as error:
                failure = error
        raise failure

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca_file)
        # As browsers do: only the names that the authority verified count, not a certificate's free-text subject.
        context.hostname_checks_common_name = False
        context.set_alpn_protocols(["http/1.1"])
        return context


def is_public(address: str) -> bool:
    """Whether a literal address is one that anybody on the internet could reach as well as we do."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _NOT_PUBLIC_V4)
    return ip in _UNICAST_V6 and not any(ip in network for network in _NOT_PUBLIC_V6)


def _plain_host(host: str) -> str:
    """A host that is spelled the one plain way; raises OutboundRefused for all others and for private addresses."""
    bare = host.strip("[]")
    if _is_literal(bare) and (":" in bare) == host.startswith("["):
        if not is_public(bare):
            raise OutboundRefused("That address is not public.")
        return str(ipaddress.ip_address(bare))
    if not _NAME.fullmatch(host) or len(host) > 253:
        raise OutboundRefused("That is not the full name of a host, nor a plain address.")
    if host.endswith(_LOCAL_NAMES):
        raise OutboundRefused("That name exists on local networks only.")
    return host


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _in_time(look_up: Callable[[], Sequence[str]], seconds: float) -> Sequence[str]:
    """The system's resolver takes no time limit, so it runs beside; a late one ends by itself, unheard."""
    future: Future[Sequence[str]] = Future()

    def run() -> None:
        try:
            future.set_result(look_up())
        except Exception as error:  # carried over to the caller, who is the one to judge it
            future.set_exception(error)

    threading.Thread(target=run, name="look-up", daemon=True).start()
    return future.result(seconds)


def _asked(wire: _Wire, target: Target, body: bytes, headers: Mapping[str, str]) -> http.client.HTTPResponse:
    """Writes the request and reads the answer's head. What frames the request is ours to say, not the caller's."""
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = wire
    own = {"host": target.authority, "connection": "close", "content-length": str(len(body))}
    sent = {"user-agent": "Firstword"} | {name.lower(): value for name, value in headers.items()} | own
    connection.request("POST", target.path, body, sent)
    return connection.getresponse()


def _flat(headers: http.client.HTTPMessage) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        flat[key] = f"{flat[key]}, {value}" if key in flat else value
    return flat


def _start_of_body(response: http.client.HTTPResponse, limit: int) -> bytes:
    """At most `limit` bytes. The status has been said already, so a body that breaks off or dawdles is cut there."""
    kept = b""
    with contextlib.suppress(OSError, http.client.HTTPException):
        while len(kept) < limit and (part := response.read1(limit - len(kept))):
            kept += part
    return kept[:limit]


def _why(error: Exception) -> str:
    """One sentence for the delivery log, without addresses."""
    match error:
        case TimeoutError():
            return "No answer in time."
        case ssl.SSLCertVerificationError():
            return f"The certificate does not hold: {error.verify_message}."
        case ssl.SSLError():
            return "TLS could not be agreed on."
        case socket.gaierror():
            return "The name does not resolve."
        case ConnectionRefusedError():
            return "The connection was refused."
        case _TooMuch():
            return "The answer was too large before its body began."
        case http.client.HTTPException():
            return "The answer was not proper HTTP."
    return "The connection broke."


class _TooMuch(http.client.HTTPException):
    """The answer used up its budget of bytes."""


class _Clock:
    """Counts down from the start of an exchange. A limit for each read would let one drip-fed byte buy another."""

    def __init__(self, seconds: float) -> None:
        self._started = time.monotonic()
        self._seconds = seconds

    def left(self, at_most: float = float("inf")) -> float:
        """Seconds that remain, never zero; raises TimeoutError when none do."""
        remaining = self._seconds - (time.monotonic() - self._started)
        if remaining <= 0:
            raise TimeoutError
        return min(remaining, at_most)

    def elapsed_ms(self) -> int:
        return round((time.monotonic() - self._started) * 1000)


class _Wire(io.RawIOBase):
    """A connected socket as http.client wants one, on a clock and with a budget of bytes to receive."""

    def __init__(self, sock: socket.socket, clock: _Clock) -> None:
        super().__init__()
        self._sock = sock
        self._clock = clock
        self._budget = ANSWER_BUDGET

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._sock.settimeout(self._clock.left())
        received = self._sock.recv_into(buffer)
        self._budget -= received
        if self._budget < 0:
            raise _TooMuch
        return received

    def sendall(self, data: bytes) -> None:
        unsent = memoryview(data)
        while unsent:
            self._sock.settimeout(self._clock.left())
            unsent = unsent[self._sock.send(unsent) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def close(self) -> None:
        """Leaves the socket open: http.client closes its side before the body is read, the door closes the socket."""
