"""The outbound door against hostile addresses, names and servers; all servers are real and on loopback.

A canary counts the connections that reach it. It hears nothing from any hostile address, and the same canary is
reached through the hole, so that its silence means something.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from service.outbound import Door, OutboundFailed, OutboundRefused, is_public

Script = Callable[["Receiver", socket.socket], None]

NAME = "hooks.publisher.example"
PUBLIC = "93.184.216.34"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Receiver:
    """A server on loopback that plays one script for each connection and remembers what it was sent."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None, address: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, 0), family=family)
        self._script = script
        self._tls = tls
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.requests: list[bytes] = []
        self.sent = 0
        self.over = threading.Event()

    def __enter__(self) -> Receiver:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in [self._accepting, *self._threads]:
            thread.join(10)
            assert not thread.is_alive()

    def send(self, connection: socket.socket, piece: bytes) -> None:
        connection.sendall(piece)
        self.sent += len(piece)

    def drip(self, connection: socket.socket, stream: bytes) -> None:
        """One byte at a time, for as long as somebody listens."""
        for byte in stream:
            if self.over.wait(0.02):
                return
            self.send(connection, bytes([byte]))

    def flood(self, connection: socket.socket, piece: bytes) -> None:
        while not self.over.is_set() and self.sent < 200_000_000:
            self.send(connection, piece)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._threads.append(threading.Thread(target=self._play, args=(connection,)))
            self._threads[-1].start()

    def _play(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as stack:
            stack.enter_context(connection)
            if self._tls:
                connection = stack.enter_context(self._tls.wrap_socket(connection, server_side=True))
            self._script(self, connection)


def heard(receiver: Receiver, connection: socket.socket) -> bytes:
    """The whole request: head and as much body as its Content-Length says."""
    request = b""
    while b"\r\n\r\n" not in request:
        part = connection.recv(65536)
        if not part:
            return request
        request += part
    head, _, body = request.partition(b"\r\n\r\n")
    length = int(dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])[b"content-length"])
    while len(body) < length:
        body += connection.recv(65536)
    receiver.requests.append(head + b"\r\n\r\n" + body)
    return request


def answering(answer: bytes) -> Script:
    def script(receiver: Receiver, connection: socket.socket) -> None:
        heard(receiver, connection)
        receiver.send(connection, answer)

    return script


@pytest.fixture
def canary() -> Iterator[Receiver]:
    with Receiver(answering(OK)) as receiver:
        yield receiver


def hole(*receivers: Receiver, host: str = "127.0.0.1") -> frozenset[tuple[str, int]]:
    return frozenset((host, receiver.port) for receiver in receivers)


def post(door: Door, url: str) -> object:
    return door.post(url, b"{}", {"content-type": "application/json"})


def never_resolved(host: str, _port: int) -> Sequence[str]:
    raise AssertionError(f"{host} was looked up")


def resolving(*answers: str) -> Callable[[str, int], Sequence[str]]:
    return lambda _host, _port: answers


def hits(canary: Receiver) -> int:
    """How many connections reached the canary; one more, through the hole, proves that it was listening."""
    control = Door(allow=hole(canary), require_https=False).post(f"http://127.0.0.1:{canary.port}/control", b"{}", {})
    assert control.status == 200
    return canary.connections - 1


# What an opener that trusts the system's resolver reaches the canary with.
LOOPBACK_SPELLINGS = [
    "http://127.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0X7F.0.0.1:{port}/",
    "http://0x7f.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://017700000001:{port}/",
    "http://127.000.000.001:{port}/",
    "http://0.0.0.0:{port}/",
    "http://0:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/",
    "http://user@127.0.0.1:{port}/",
    "http://user:password@127.0.0.1:{port}/",
    "http://public.example@127.0.0.1:{port}/",
    "http://public.example:80@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@public.example/",
    "http://127.0.0.1:{port}?@public.example/",
    "//127.0.0.1:{port}/",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/_POST",
    "unix://127.0.0.1:{port}/",
    " http://127.0.0.1:{port}/",
    "\thttp://127.0.0.1:{port}/",
    "ht\ntp://127.0.0.1:{port}/",
    "http://127.0\t.0.1:{port}/",
    "http://127.0.0.1:0{port}/",
    "http://１２７.０.０.１:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://127。0。0。1:{port}/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/",
    "http://ｌｏｃａｌｈｏｓｔ:{port}/",
    "http://local\u00adhost:{port}/",
]

# What other readers of URLs, other resolvers or other networks may make a private address of.
OTHER_HOSTILE_URLS = [
    "",
    "http://",
    "https://",
    "http://.",
    "http://..",
    "http:127.0.0.1:{port}",
    "http:/127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "http://///127.0.0.1:{port}/",
    "http:\\\\127.0.0.1:{port}\\",
    "http://127.0.0.1:{port}\\.public.example/",
    "http://public.example\\@127.0.0.1:{port}/",
    "http://public.example#@127.0.0.1:{port}/",
    "http://public.example/#fragment",
    "http://public.example:80:{port}/",
    "http://127.0.0.1:{port} ",
    "http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: public.example",
    "http://127.0.0.1:{port}/\r\nX: y",
    "http://127.0.0.1:{port}/\n",
    "http://127.0.0.1\x00.public.example:{port}/",
    "http://127.0.0.1%00.public.example:{port}/",
    "http://127.0.0.1%2e:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://%6cocalhost:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://127.0.0.1..:{port}/",
    "http://localhost.:{port}/",
    "http://public.example.:{port}/",
    "http://a.localhost:{port}/",
    "http://printer.local:{port}/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://router.home.arpa/",
    "http://hidden.onion/",
    "http://intranet:{port}/",
    "http://ip6-localhost:{port}/",
    "http://1.2.3.4.5/",
    "http://256.256.256.256/",
    "http://127.0.0.1.0x7f:{port}/",
    "http://public.127:{port}/",
    "http://99999999999:{port}/",
    "http://0x7f00000001:{port}/",
    "http://l\u043ecalhost:{port}/",
    "http://local\u200bhost:{port}/",
    "http://127\u20240.0.1:{port}/",
    "http://\u202e1.0.0.721:{port}/",
    "http://[::1]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[0000::0001]:{port}/",
    "http://[::]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[::7f00:1]:{port}/",
    "http://[::ffff:0:127.0.0.1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[64:ff9b:1::127.0.0.1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[2001:0:7f00:1::80ff:fffe]:{port}/",
    "http://[fe80::1]:{port}/",
    "http://[fe80::1%25lo]:{port}/",
    "http://[fe80::1%lo]:{port}/",
    "http://[::1%lo]:{port}/",
    "http://[fec0::1]:{port}/",
    "http://[fc00::1]:{port}/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[ff02::1]:{port}/",
    "http://[3fff::1]:{port}/",
    "http://[2001:db8::1]:{port}/",
    "http://[100::1]:{port}/",
    "http://[5f00::1]:{port}/",
    "http://[::1:{port}/",
    "http://::1:{port}/",
    "http://[[::1]]:{port}/",
    "http://[127.0.0.1]:{port}/",
    "http://[::1].public.example:{port}/",
    "http://[93.184.216.34]/",
    "http\u017f://public.example/",
    "http://\u212aite.example/",
    "http://[v1.7f000001]:{port}/",
    "http://10.0.0.1:{port}/",
    "http://100.64.0.1:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://172.16.0.1:{port}/",
    "http://192.0.0.192:{port}/",
    "http://192.88.99.1:{port}/",
    "http://192.168.0.1:{port}/",
    "http://198.18.0.1:{port}/",
    "http://224.0.0.1:{port}/",
    "http://255.255.255.255:{port}/",
    "http://public.example:0/",
    "http://public.example:00/",
    "http://public.example:65536/",
    "http://public.example:99999999999/",
    "http://public.example:-1/",
    "http://public.example:+80/",
    "http://public.example:0443/",
    "http://public.example:８０/",
    "http://public.example: 80/",
    "http://public.example:/",
    "http://public.example:80x/",
    "http://public_name.example/",
    "http://-public.example/",
    "http://public-.example/",
    "http://public..example/",
    "http://.public.example/",
    "http://xn--.example-/",
    f"http://{'a' * 64}.example/",
    f"http://{'a.' * 130}example/",
    f"http://public.example/{'a' * 2048}",
    "http://public.example/%zz",
    "http://public.example/%",
    "http://public.example/\u00fc",
    'http://public.example/"',
    "http://public.example/<x>",
    "http://public.example/a b",
    "http://public.example/a\\b",
    "http://public.example/a\x7f",
    "https:public.example",
    "file:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "jar:http://127.0.0.1:{port}/!/",
    "ldap://127.0.0.1:{port}/",
    "dict://127.0.0.1:{port}/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "url:http://127.0.0.1:{port}/",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
]


def test_the_hostile_list_is_long_and_says_nothing_twice() -> None:
    hostile = LOOPBACK_SPELLINGS + OTHER_HOSTILE_URLS
    assert len(hostile) == len(set(hostile)) >= 150


def test_hostile_urls_reach_the_canary_zero_times_and_are_refused_before_any_look_up(canary: Receiver) -> None:
    door = Door(require_https=False, resolver=never_resolved)
    for template in LOOPBACK_SPELLINGS + OTHER_HOSTILE_URLS:
        url = template.replace("{port}", str(canary.port))
        with pytest.raises(OutboundRefused):
            door.check_url(url)
        with pytest.raises(OutboundRefused):
            post(door, url)
    assert hits(canary) == 0


def opened_naively(url: str) -> None:
    """As code that never heard of the danger would: the library's URL reader, the system's resolver."""
    parts = urlsplit(url.strip())
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    connection.request("POST", "/", b"{}", {"content-length": "2"})
    connection.getresponse().read()
    connection.close()


def test_the_same_spellings_do_reach_the_canary_without_the_door(canary: Receiver) -> None:
    reached = 0
    for template in LOOPBACK_SPELLINGS:
        before = canary.connections
        with contextlib.suppress(OSError, ValueError, KeyError, http.client.HTTPException):
            opened_naively(template.replace("{port}", str(canary.port)))
        reached += canary.connections > before
    assert reached >= 20, "the canary's silence would prove little"


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["127.0.0.1", PUBLIC],
        [PUBLIC, "127.0.0.1"],
        [PUBLIC, PUBLIC, PUBLIC, PUBLIC, PUBLIC, "127.0.0.1"],
        ["2606:2800:220:1::1", "::1"],
        ["::ffff:127.0.0.1"],
        ["::127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::1"],
        ["fe80::1%lo"],
        ["169.254.169.254"],
        ["0.0.0.0"],
        ["127.1"],
        ["localhost"],
        [""],
    ],
)
def test_a_name_with_one_answer_that_is_not_public_is_refused_whole(canary: Receiver, answers: list[str]) -> None:
    door = Door(require_https=False, resolver=resolving(*answers))
    url = f"http://{NAME}:{canary.port}/"
    assert door.check_url(url) == url
    with pytest.raises(OutboundRefused) as refusal:
        post(door, url)
    assert "127" not in refusal.value.detail, "a refusal must not tell what private names resolve to"
    assert hits(canary) == 0


def test_a_name_that_turns_private_after_it_was_registered_is_refused_at_the_next_attempt(canary: Receiver) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"], ["127.0.0.1"]])
    door = Door(require_https=False, resolver=lambda _host, _port: next(answers))
    door.check_url(f"http://{NAME}:{canary.port}/")
    for _ in range(3):
        with pytest.raises(OutboundRefused):
            post(door, f"http://{NAME}:{canary.port}/")
    assert hits(canary) == 0


def test_a_name_is_looked_up_once_and_that_very_address_is_connected_to(canary: Receiver) -> None:
    looked_up: list[str] = []

    def rebinding(host: str, _port: int) -> Sequence[str]:
        looked_up.append(host)
        return ["127.0.0.1"] if len(looked_up) == 1 else ["127.0.0.2"]

    door = Door(allow=hole(canary, host=NAME), require_https=False, resolver=rebinding)
    answer = door.post(f"http://{NAME}:{canary.port}/", b"{}", {})
    assert (answer.status, answer.address, looked_up) == (200, "127.0.0.1", [NAME])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_answers_and_are_not_followed(canary: Receiver, status: int) -> None:
    location = f"http://127.0.0.1:{canary.port}/inside"
    redirect = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nRefresh: 0;url={location}\r\n\r\n".encode()
    with Receiver(answering(redirect)) as receiver:
        door = Door(allow=hole(receiver), require_https=False)
        answer = door.post(f"http://127.0.0.1:{receiver.port}/", b"{}", {})
    assert (answer.status, answer.headers["location"]) == (status, location)
    assert hits(canary) == 0


def test_proxies_of_the_environment_are_not_used(canary: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with Receiver(answering(OK)) as receiver:
        door = Door(allow=hole(receiver, host=NAME), require_https=False, resolver=resolving("127.0.0.1"))
        assert door.post(f"http://{NAME}:{receiver.port}/", b"{}", {}).status == 200
    assert hits(canary) == 0


def test_the_hole_is_one_host_and_one_port(canary: Receiver) -> None:
    with Receiver(answering(OK)) as beside:
        door = Door(allow=hole(beside), require_https=False, resolver=resolving("127.0.0.1"))
        assert door.post(f"http://127.0.0.1:{beside.port}/", b"{}", {}).status == 200
        for url in (
            f"http://127.0.0.1:{canary.port}/",
            f"http://localhost:{beside.port}/",
            f"http://127.1:{beside.port}/",
        ):
            with pytest.raises(OutboundRefused):
                post(door, url)
        assert beside.connections == 1
    assert hits(canary) == 0


def test_a_name_in_the_hole_may_be_local(canary: Receiver) -> None:
    door = Door(allow=hole(canary, host="localhost"), require_https=False, resolver=resolving("127.0.0.1"))
    assert door.post(f"http://LocalHost:{canary.port}/", b"{}", {}).status == 200


def test_the_hole_does_not_excuse_plain_http(canary: Receiver) -> None:
    with pytest.raises(OutboundRefused, match="https"):
        post(Door(allow=hole(canary)), f"http://127.0.0.1:{canary.port}/")
    assert hits(canary) == 0


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("https://hooks.publisher.example", "https://hooks.publisher.example/"),
        ("HTTPS://Hooks.Publisher.EXAMPLE:443/In?a=1&b=%20", "https://hooks.publisher.example/In?a=1&b=%20"),
        ("https://hooks.publisher.example:8443/x", "https://hooks.publisher.example:8443/x"),
        ("https://hooks.publisher.example?x=1", "https://hooks.publisher.example/?x=1"),
        ("https://xn--mnchen-3ya.example/", "https://xn--mnchen-3ya.example/"),
        ("https://news.xn--p1ai/", "https://news.xn--p1ai/"),
        ("https://93.184.216.34/", "https://93.184.216.34/"),
        ("https://[2606:4700:0:0::1111]:444/", "https://[2606:4700::1111]:444/"),
        ("https://a-b--c.3com.example/~u/;v=1,2/(x)!$'*+@:", "https://a-b--c.3com.example/~u/;v=1,2/(x)!$'*+@:"),
    ],
)
def test_ordinary_urls_are_accepted_in_their_plain_form_without_a_look_up(url: str, plain: str) -> None:
    door = Door(resolver=never_resolved)
    assert door.check_url(url) == plain
    assert door.check_url(plain) == plain


def test_plain_http_needs_a_door_that_was_told_so() -> None:
    url = f"http://{NAME}/"
    with pytest.raises(OutboundRefused, match="https"):
        Door().check_url(url)
    assert Door(require_https=False).check_url(url) == url


@given(st.text() | st.from_regex(r"\A[hH]ttps?:(//)?[\[\]a-zA-Z0-9.:@%\\#?/ \-_xX\u0661\uff10]{0,40}\Z"))
def test_whatever_is_accepted_means_the_same_host_to_the_librarys_url_reader(url: str) -> None:
    door = Door(require_https=False, resolver=never_resolved)
    try:
        plain = door.check_url(url)
    except OutboundRefused:
        return
    theirs, ours = urlsplit(url), urlsplit(plain)
    assert plain.isascii()
    assert not plain.count("@")
    assert not theirs.fragment
    if not url.count("["):
        assert theirs.hostname == ours.hostname
    assert (theirs.port or {"http": 80, "https": 443}[theirs.scheme]) == (
        ours.port or {"http": 80, "https": 443}[ours.scheme]
    )


NOT_PUBLIC = [
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.0.0",
    "169.254.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.0",
    "192.0.0.170",
    "192.0.0.255",
    "192.0.2.1",
    "192.88.99.0",
    "192.88.99.255",
    "192.168.0.0",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.0",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:8.8.8.8",
    "::ffff:127.0.0.1",
    "::8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::1",
    "100::",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:1ff:ffff::1",
    "2001:db8::1",
    "2002::1",
    "2002:808:808::1",
    "3ffe::1",
    "3fff::1",
    "3fff:fff:ffff::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "feff::1",
    "ff02::1",
    "1fff:ffff::1",
    "4000::1",
    "localhost",
    "127.1",
    "0x7f000001",
    "1.2.3",
    "01.2.3.4",
]

ARE_PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2003::1",
    "2400:cb00::1",
    "2606:4700:4700::1111",
    "2a00::1",
    "3ffd::1",
    "3fff:1000::1",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_special_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ARE_PUBLIC)
def test_their_neighbours_are_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses())
def test_nothing_is_public_that_the_standard_library_calls_special(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if is_public(str(address)):
        assert address.is_global
        assert not any((address.is_multicast, address.is_reserved, address.is_link_local, address.is_loopback))


@pytest.mark.parametrize(
    ("answer", "status", "headers", "body"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, {}, b""),
        (b"HTTP/1.1 410 Gone\r\nContent-Length: 4\r\n\r\ngone", 410, {}, b"gone"),
        (b"HTTP/1.1 429 Slow\r\nRetry-After: 120\r\n\r\n", 429, {"retry-after": "120"}, b""),
        (b"HTTP/1.0 503 No\r\nRETRY-AFTER: Sun, 01 Mar 2026 12:00:00 GMT\r\n\r\nlater", 503,
         {"retry-after": "Sun, 01 Mar 2026 12:00:00 GMT"}, b"later"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 200, {}, b"abcde"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", 202, {}, b""),
        (b"HTTP/1.1 200 OK\r\nX: a\r\nx: b\r\nContent-Length: 0\r\n\r\n", 200, {"x": "a, b"}, b""),
        (b"HTTP/1.1 500 \r\nContent-Length: 9999\r\n\r\ncut off", 500, {}, b"cut off"),
    ],
)  # fmt: skip
def test_status_headers_and_the_start_of_the_body_come_through(
    answer: bytes, status: int, headers: dict[str, str], body: bytes
) -> None:
    with Receiver(answering(answer)) as receiver:
        got = Door(allow=hole(receiver), require_https=False).post(f"http://127.0.0.1:{receiver.port}/", b"{}", {})
    assert (got.status, got.first_bytes, got.address) == (status, body, "127.0.0.1")
    assert headers.items() <= got.headers.items()
    assert 0 <= got.latency_ms < 5000


def test_the_request_says_what_was_asked_and_its_frame_is_the_doors_own(canary: Receiver) -> None:
    door = Door(allow=hole(canary, host=NAME), require_https=False, resolver=resolving("127.0.0.1"))
    door.post(
        f"http://{NAME}:{canary.port}/in?x=%20y",
        b'{"a": 1}',
        {"Webhook-Id": "msg_1", "Host": "inside.example", "Content-Length": "99999", "Connection": "keep-alive"},
    )
    head, _, body = canary.requests[0].partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    assert line == "POST /in?x=%20y HTTP/1.1"
    assert body == b'{"a": 1}'
    assert sorted(field.lower() for field in fields) == sorted(
        [
            f"host: {NAME}:{canary.port}",
            "content-length: 8",
            "connection: close",
            "webhook-id: msg_1",
            "user-agent: firstword",
            "accept-encoding: identity",
        ]
    )


def test_a_header_that_would_start_another_is_not_sent(canary: Receiver) -> None:
    door = Door(allow=hole(canary), require_https=False)
    with pytest.raises(ValueError, match="header"):
        door.post(f"http://127.0.0.1:{canary.port}/", b"{}", {"x": "a\r\nHost: inside.example"})
    assert canary.requests == []


@contextlib.contextmanager
def ends_within(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


def silent(receiver: Receiver, _connection: socket.socket) -> None:
    receiver.over.wait(10)


def dripping(stream: bytes) -> Script:
    def script(receiver: Receiver, connection: socket.socket) -> None:
        heard(receiver, connection)
        receiver.drip(connection, stream)

    return script


def flooding(start: bytes, piece: bytes) -> Script:
    def script(receiver: Receiver, connection: socket.socket) -> None:
        heard(receiver, connection)
        receiver.send(connection, start)
        receiver.flood(connection, piece)

    return script


def hurried(receiver: Receiver, deadline: float = 0.4) -> Door:
    return Door(allow=hole(receiver), require_https=False, connect_timeout=deadline, total_deadline=deadline)


@pytest.mark.parametrize(
    "script",
    [
        silent,
        dripping(b"HTTP/1.1 200 " + b"O" * 1000),
        dripping(b"HTTP/1.1 200 OK\r\n" + b"X: yyyyyyyyyy\r\n" * 100),
        dripping(b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    ],
    ids=["silent", "dripping status", "dripping headers", "dripping continues"],
)
def test_a_server_that_dawdles_is_cut_off_at_the_deadline(script: Script) -> None:
    with (
        Receiver(script) as receiver,
        ends_within(2),
        pytest.raises(OutboundFailed, match="in time"),
    ):
        post(hurried(receiver), f"http://127.0.0.1:{receiver.port}/")


def test_a_body_that_dawdles_is_cut_and_the_status_stands() -> None:
    with Receiver(answering_then_dripping) as receiver, ends_within(2):
        answer = hurried(receiver).post(f"http://127.0.0.1:{receiver.port}/", b"{}", {})
    assert answer.status == 200
    assert 1 <= len(answer.first_bytes) < 60
    assert set(answer.first_bytes) == {ord("z")}


def answering_then_dripping(receiver: Receiver, connection: socket.socket) -> None:
    heard(receiver, connection)
    receiver.send(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    receiver.drip(connection, b"z" * 1000)


def test_a_server_that_does_not_read_is_cut_off_at_the_deadline() -> None:
    with Receiver(silent) as receiver, ends_within(3), pytest.raises(OutboundFailed, match="in time"):
        hurried(receiver).post(f"http://127.0.0.1:{receiver.port}/", b"x" * 64_000_000, {})


def test_a_server_that_reads_in_sips_is_cut_off_at_the_deadline() -> None:
    def sipping(receiver: Receiver, connection: socket.socket) -> None:
        while not receiver.over.wait(0.01) and connection.recv(65536):
            pass

    with Receiver(sipping) as receiver, ends_within(3), pytest.raises(OutboundFailed, match="in time"):
        hurried(receiver).post(f"http://127.0.0.1:{receiver.port}/", b"x" * 64_000_000, {})


def test_a_name_that_takes_too_long_to_resolve_is_given_up() -> None:
    done = threading.Event()

    def stuck(_host: str, _port: int) -> Sequence[str]:
        done.wait(10)
        return [PUBLIC]

    door = Door(resolver=stuck, connect_timeout=0.2)
    with ends_within(2), pytest.raises(OutboundFailed, match="in time"):
        post(door, f"https://{NAME}/")
    done.set()


def test_a_server_that_does_not_accept_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as stack:
        port = full.getsockname()[1]
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        door = Door(allow=frozenset({("127.0.0.1", port)}), require_https=False, connect_timeout=0.3)
        with ends_within(2), pytest.raises(OutboundFailed, match="in time"):
            post(door, f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize(
    "script",
    [
        flooding(b"HTTP/1.1 200 ", b"O" * 65536),
        flooding(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 10_000),
        flooding(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65536),
        flooding(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 60_000 + b"\r\n"),
        flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 3000),
        flooding(b"", b"\0" * 65536),
    ],
    ids=["status", "many headers", "long header", "many long headers", "continues", "zeros"],
)
def test_an_endless_head_is_not_read_to_its_end(script: Script) -> None:
    with Receiver(script) as receiver, ends_within(5), pytest.raises(OutboundFailed, match=r"too large|not proper"):
        post(hurried(receiver, 10), f"http://127.0.0.1:{receiver.port}/")
    assert receiver.sent < 50_000_000


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n", b"z" * 65536),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"z" * 65536),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"z" * 65536 + b"\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff\r\n", b"z" * 65536),
    ],
    ids=["declared", "until close", "chunks", "one huge chunk"],
)
def test_of_a_huge_body_only_the_first_bytes_are_read(start: bytes, piece: bytes) -> None:
    with Receiver(flooding(start, piece)) as receiver, ends_within(5):
        answer = hurried(receiver, 10).post(f"http://127.0.0.1:{receiver.port}/", b"{}", {})
    assert (answer.status, answer.first_bytes) == (200, b"z" * 512)
    assert receiver.sent < 50_000_000


@pytest.mark.parametrize("chunk", [b"1;" + b"x" * 65536, b"-5\r\n" + b"z" * 9000, b"zz\r\n", b"\r\n" * 9000])
def test_mangled_chunks_end_the_body_and_never_raise(chunk: bytes) -> None:
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Receiver(answering(start + chunk)) as receiver:
        answer = hurried(receiver, 5).post(f"http://127.0.0.1:{receiver.port}/", b"{}", {})
    assert answer.status == 200
    assert len(answer.first_bytes) <= 512


@pytest.mark.parametrize(
    "answer",
    [b"", b"hello\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 2OO OK\r\n\r\n", b"HTTP/1.1 99999 OK\r\n\r\n", b"<html>"],
)
def test_what_is_not_http_is_a_failure(answer: bytes) -> None:
    with Receiver(answering(answer)) as receiver, pytest.raises(OutboundFailed, match=r"not proper HTTP|broke"):
        post(hurried(receiver, 5), f"http://127.0.0.1:{receiver.port}/")


def test_a_refused_connection_is_a_failure(canary: Receiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]
    with pytest.raises(OutboundFailed, match="refused"):
        post(Door(allow=frozenset({("127.0.0.1", port)}), require_https=False), f"http://127.0.0.1:{port}/")


def test_a_name_without_addresses_is_a_failure() -> None:
    def unknown(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    for resolver in (unknown, resolving()):
        with pytest.raises(OutboundFailed, match="does not resolve"):
            post(Door(resolver=resolver), f"https://{NAME}/")


def test_the_next_address_is_tried_when_the_first_is_dead(canary: Receiver) -> None:
    door = Door(allow=hole(canary, host=NAME), require_https=False, resolver=resolving("127.0.0.9", "127.0.0.1"))
    assert door.post(f"http://{NAME}:{canary.port}/", b"{}", {}).address == "127.0.0.1"


# --- TLS, with an authority of our own that is thrown away afterwards ---


class Authority:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Throw-away authority")])
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self._certificate = (
            self._dated(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / "authority.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, *names: x509.GeneralName, expired: bool = False) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
        certificate = (
            self._dated(subject, key.public_key(), expired)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = self._folder / "server.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _dated(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, expired: bool = False
    ) -> x509.CertificateBuilder:
        start = datetime.now(UTC) - timedelta(days=30)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=29 if expired else 60))
        )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def secure_door(receiver: Receiver, authority: Authority | None, host: str = NAME) -> Door:
    return Door(
        allow=hole(receiver, host=host),
        resolver=resolving("127.0.0.1"),
        ca_file=str(authority.file) if authority else None,
        total_deadline=5,
    )


def test_the_connection_goes_to_the_address_and_the_certificate_is_asked_for_and_verified_by_name(
    authority: Authority,
) -> None:
    asked: list[str | None] = []
    context = authority.server(x509.DNSName(NAME))
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with Receiver(answering(OK), tls=context) as receiver:
        answer = secure_door(receiver, authority).post(f"https://{NAME}:{receiver.port}/", b"{}", {})
    assert (answer.status, answer.first_bytes, answer.address) == (200, b"ok", "127.0.0.1")
    assert asked == [NAME]
    assert f"host: {NAME}:{receiver.port}".encode() in receiver.requests[0]


def test_a_certificate_for_an_address_holds_for_that_address(authority: Authority) -> None:
    context = authority.server(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    with Receiver(answering(OK), tls=context) as receiver:
        door = secure_door(receiver, authority, host="127.0.0.1")
        assert door.post(f"https://127.0.0.1:{receiver.port}/", b"{}", {}).status == 200


@pytest.mark.parametrize(
    ("names", "expired"),
    [
        ([x509.DNSName("other.publisher.example")], False),
        ([x509.DNSName("*.example")], False),
        ([x509.DNSName("publisher.example")], False),
        ([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))], False),
        ([x509.DNSName(NAME)], True),
    ],
    ids=["other name", "too wide", "parent", "the address connected to", "expired"],
)
def test_a_certificate_that_does_not_hold_for_the_name_stops_everything(
    authority: Authority, names: list[x509.GeneralName], expired: bool
) -> None:
    with (
        Receiver(answering(OK), tls=authority.server(*names, expired=expired)) as receiver,
        pytest.raises(OutboundFailed, match="certificate does not hold"),
    ):
        post(secure_door(receiver, authority), f"https://{NAME}:{receiver.port}/")
    assert receiver.requests == []


def test_an_unknown_authority_stops_everything(authority: Authority) -> None:
    with (
        Receiver(answering(OK), tls=authority.server(x509.DNSName(NAME))) as receiver,
        pytest.raises(OutboundFailed, match="certificate does not hold"),
    ):
        post(secure_door(receiver, None), f"https://{NAME}:{receiver.port}/")
    assert receiver.requests == []


def test_a_server_without_tls_is_a_failure(canary: Receiver) -> None:
    door = Door(allow=hole(canary, host=NAME), resolver=resolving("127.0.0.1"), total_deadline=0.5)
    with pytest.raises(OutboundFailed):
        post(door, f"https://{NAME}:{canary.port}/")
    assert canary.requests == []


@pytest.mark.parametrize("stream", [b"", b"\x16\x03\x03\x40\x00" + b"\0" * 1000], ids=["silent", "dripping"])
def test_a_handshake_that_dawdles_is_cut_off_at_the_deadline(stream: bytes) -> None:
    def script(receiver: Receiver, connection: socket.socket) -> None:
        receiver.drip(connection, stream)
        receiver.over.wait(10)

    with Receiver(script) as receiver:
        door = Door(allow=hole(receiver, host=NAME), resolver=resolving("127.0.0.1"), total_deadline=0.5)
        with ends_within(3), pytest.raises(OutboundFailed, match="in time"):
            post(door, f"https://{NAME}:{receiver.port}/")


def test_a_dripping_answer_over_tls_is_cut_off_at_the_deadline(authority: Authority) -> None:
    script = dripping(b"HTTP/1.1 200 OK\r\n" + b"X: yyyyyyyyyy\r\n" * 100)
    with Receiver(script, tls=authority.server(x509.DNSName(NAME))) as receiver:
        door = Door(
            allow=hole(receiver, host=NAME),
            resolver=resolving("127.0.0.1"),
            ca_file=str(authority.file),
            total_deadline=0.8,
        )
        with ends_within(3), pytest.raises(OutboundFailed, match="in time"):
            post(door, f"https://{NAME}:{receiver.port}/")
    assert receiver.requests
