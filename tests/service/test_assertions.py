"""Assertions of hosts: what is accepted, and every way to be refused, on both databases."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from service.db import Database
from service.errors import AssertionRefused, Conflict, Invalid, NotFound
from service.identity import assertions, host_keys
from service.identity.assertions import Claims
from service.identity.host_keys import Offer
from service.models import HostKey, Site
from tests.service import host_side as host
from tests.service.host_side import NOON

SECRET = "s" * 40
AT = int(NOON.timestamp())
ISSUER = "https://gazette.example"


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    with host.opened(database_url) as database:
        host.add_site(database)
        yield database


@pytest.fixture
def keyed(db: Database) -> Database:
    """A database whose site has one HS256 key with kid k1."""
    add(db, Offer("k1", ISSUER, secret=SECRET))
    return db


def add(db: Database, offer: Offer, site: str = host.SITE) -> HostKey:
    with db.write() as session:
        return host_keys.add(session, site, offer, now=NOON)


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims about Ada; a change to None takes a claim away."""
    good = {"iss": ISSUER, "aud": host.SITE, "sub": "ada-17", "name": "Ada", "iat": AT, "exp": AT + 600}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def signed(payload: dict[str, Any] | None = None, secret: Any = SECRET, alg: str = "HS256", **headers: Any) -> str:
    return jwt.encode(claims() if payload is None else payload, secret, alg, headers={"kid": "k1", **headers})


def by_hand(header: Any, payload: Any, secret: bytes = SECRET.encode()) -> str:
    """A token that no library would write, rightly signed by HS256."""

    def part(value: Any) -> str:
        raw = value if isinstance(value, bytes) else json.dumps(value).encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    content = f"{part(header)}.{part(payload)}"
    mac = hmac.HMAC(secret, hashes.SHA256())
    mac.update(content.encode())
    return f"{content}.{part(mac.finalize())}"


def exchange(db: Database, token: str, site: str = host.SITE, now: Any = NOON) -> Claims:
    with db.write() as session:
        return assertions.exchange(session, session.get_one(Site, site), token, now)


def refused(db: Database, token: str, **more: Any) -> str:
    with pytest.raises(AssertionRefused) as refusal:
        exchange(db, token, **more)
    return refusal.value.detail


# ---- accepted ----


def test_a_good_assertion_says_who_the_reader_is(keyed: Database) -> None:
    found = exchange(keyed, signed())
    assert found == Claims(ISSUER, "ada-17", "Ada", NOON + timedelta(minutes=10), None)


def pair(algorithm: str) -> PrivateKeyTypes:
    makers: dict[str, Callable[[], PrivateKeyTypes]] = {
        "RS256": lambda: rsa.generate_private_key(65_537, 2_048),
        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate,
    }
    return makers[algorithm]()


def public(key: Any) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_asymmetric_keys_vouch_too_and_only_with_their_own_algorithm(db: Database, algorithm: str) -> None:
    private = pair(algorithm)
    add(db, Offer("k1", ISSUER, algorithm, public_key=public(private)))
    assert exchange(db, signed(secret=private, alg=algorithm)).subject == "ada-17"
    stranger = signed(secret=pair(algorithm), alg=algorithm)
    assert "signature" in refused(db, stranger)
    confused = by_hand({"alg": "HS256", "kid": "k1"}, claims(), public(private).encode())
    assert "alg is not" in refused(db, confused)


def test_two_live_keys_let_a_host_change_without_a_gap(keyed: Database) -> None:
    new = add(keyed, Offer("k2", ISSUER))
    assert new.secret is not None
    assert len(new.secret) >= 43
    exchange(keyed, signed())
    exchange(keyed, signed(secret=new.secret, kid="k2"))
    assert "kid" in refused(keyed, by_hand({"alg": "HS256"}, claims()))
    with keyed.write() as session:
        host_keys.retire(session, host.SITE, "k1", now=NOON)
    assert "no live key" in refused(keyed, signed())
    exchange(keyed, signed(secret=new.secret, kid="k2"))


def test_a_site_with_one_key_needs_no_kid(keyed: Database) -> None:
    assert exchange(keyed, by_hand({"alg": "HS256", "typ": "JWT"}, claims())).name == "Ada"


@pytest.mark.parametrize(
    "payload",
    [
        claims(aud=[host.SITE, "other"]),
        claims(nbf=AT),
        claims(iat=AT + 59, exp=AT + 3_659),
        claims(exp=AT - 59, iat=AT - 600),
        claims(exp=AT + 3_600),
        claims(iat=AT + 0.5, exp=AT + 600.5),
        claims(name="Zoë 👩‍👩‍👧"),
    ],
)
def test_what_is_unusual_and_right_is_accepted(keyed: Database, payload: dict[str, Any]) -> None:
    assert exchange(keyed, signed(payload)).subject == "ada-17"


def test_claims_about_staff_are_not_even_read(keyed: Database) -> None:
    staff = {"role": "admin", "roles": ["moderator"], "scope": "moderate", "admin": True, "badge": "staff"}
    found = exchange(keyed, signed(claims(**staff)))
    assert found == exchange(keyed, signed())


# ---- refused by the claims ----


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"exp": None}, "exp"),
        ({"iat": None}, "iat"),
        ({"aud": None}, "aud"),
        ({"iss": None}, "iss"),
        ({"sub": None}, "sub"),
        ({"name": None}, "name"),
        ({"exp": str(AT + 600)}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": [AT + 600]}, "exp"),
        ({"exp": 1e300}, "exp"),
        ({"exp": 2**70}, "exp"),
        ({"exp": -(2**70)}, "exp"),
        ({"exp": 10**400}, "exp"),
        ({"iat": 10**400}, "iat"),
        ({"iat": -(10**400)}, "iat"),
        ({"nbf": 10**400}, "nbf"),
        ({"iat": "now"}, "iat"),
        ({"iat": False}, "iat"),
        ({"nbf": "now"}, "nbf"),
        ({"exp": AT + 10 * 365 * 86_400}, "hour"),
        ({"exp": AT + 3_601}, "hour"),
        ({"exp": AT, "iat": AT}, "after iat"),
        ({"exp": AT + 10, "iat": AT + 20}, "after iat"),
        ({"exp": AT - 61, "iat": AT - 600}, "passed"),
        ({"iat": AT + 61, "exp": AT + 600}, "future"),
        ({"nbf": AT + 61}, "future"),
        ({"aud": "herald"}, "aud"),
        ({"aud": host.SITE + "x"}, "aud"),
        ({"aud": host.SITE.upper()}, "aud"),
        ({"aud": ["herald"]}, "aud"),
        ({"aud": {host.SITE: 1}}, "aud"),
        ({"aud": 7}, "aud"),
        ({"iss": "https://herald.example"}, "iss"),
        ({"iss": ISSUER + "/"}, "iss"),
        ({"iss": "guest"}, "iss"),
        ({"iss": [ISSUER]}, "iss"),
        ({"sub": ""}, "sub"),
        ({"sub": 17}, "sub"),
        ({"sub": "x" * 256}, "sub"),
        ({"sub": "a\0b"}, "sub"),
        ({"sub": "\ud800"}, "sub"),
        ({"name": ["Ada"]}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"jti": 17}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": "\0"}, "jti"),
    ],
)
def test_a_wrong_claim_is_refused_by_name(keyed: Database, changes: dict[str, Any], says: str) -> None:
    assert says in refused(keyed, by_hand({"alg": "HS256", "kid": "k1"}, claims(**changes)))


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b"null",
        b'"x"',
        b"{",
        b"\xff\xfe",
        b'{"exp": NaN}',
        b'{"exp": Infinity}',
        b"[" * 2_000,
        b'{"exp": ' + b"9" * 2_500 + b"}",
    ],
)
def test_claims_that_are_no_plain_object_are_refused(keyed: Database, payload: bytes) -> None:
    refused(keyed, by_hand({"alg": "HS256", "kid": "k1"}, payload))


# ---- refused by the signature or the header ----


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "HS384", "HS512", "RS256", "", None, 7, ["HS256"]])
def test_only_the_keys_own_algorithm_counts(keyed: Database, alg: Any) -> None:
    for token in (by_hand({"alg": alg, "kid": "k1"}, claims()), by_hand({"kid": "k1"}, claims())):
        refused(keyed, token)
        refused(keyed, token.rsplit(".", 1)[0] + ".")


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"jwk": {"kty": "oct", "k": "c3Nz"}},
        {"x5c": ["MIIB"]},
    ],
)
def test_a_token_that_brings_its_own_key_or_rules_is_refused(keyed: Database, header: dict[str, Any]) -> None:
    assert "its header" in refused(keyed, by_hand({"alg": "HS256", "kid": "k1", **header}, claims()))


@pytest.mark.parametrize(
    "kid",
    [
        "../../../../etc/passwd",
        "../../dev/null",
        "k1\0",
        "K1",
        " k1",
        "k1' OR '1'='1",
        "k1; DROP TABLE host_key",
        "",
        "k" * 2_000,
        "\ud800",
        17,
        ["k1"],
        {"k1": 1},
        True,
    ],
)
def test_a_kid_is_compared_and_nothing_else(keyed: Database, kid: Any) -> None:
    refused(keyed, by_hand({"alg": "HS256", "kid": kid}, claims()))
    refused(keyed, by_hand({"alg": "HS256", "kid": kid}, claims(), b""))


@pytest.mark.parametrize("secret", [b"", b"x" * 40, SECRET.encode()[:-1], b"null", b"None"])
def test_another_secret_does_not_sign(keyed: Database, secret: bytes) -> None:
    assert "signature" in refused(keyed, by_hand({"alg": "HS256", "kid": "k1"}, claims(), secret))


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a.b", "a.b.c", "a.b.c.d.e", "é.é.é", "a b.c.d", "\0.\0.\0", "[" * 3_000, "eyJ9.eyJ9.eyJ9"],
)
def test_what_is_no_token_is_refused(keyed: Database, token: str) -> None:
    refused(keyed, token)


def test_a_changed_token_is_refused_whatever_was_changed(keyed: Database) -> None:
    token = signed()
    refused(keyed, token + "\n")
    refused(keyed, f" {token}")
    head, body, mac = token.split(".")
    other = by_hand({"alg": "HS256", "kid": "k1"}, claims(sub="mo")).split(".")[1]
    refused(keyed, f"{head}.{other}.{mac}")
    refused(keyed, f"{head}.{body}.{mac[:-2]}")
    refused(keyed, f"{head}.{body}.{mac}AA")


def test_nothing_beyond_four_kilobytes_is_looked_at(keyed: Database) -> None:
    long = signed(claims(padding="x" * 4_000))
    assert len(long) > 4_096
    assert "longer" in refused(keyed, long)


def test_another_sites_key_vouches_for_nobody_here(keyed: Database) -> None:
    host.add_site(keyed, "herald")
    assert "no key" in refused(keyed, signed(claims(aud="herald")), site="herald")
    add(keyed, Offer("k1", "https://herald.example", secret="h" * 40), site="herald")
    assert "signature" in refused(keyed, signed(claims(aud="herald")), site="herald")
    assert "aud" in refused(keyed, signed(claims(iss="https://herald.example"), "h" * 40), site="herald")


# ---- once ----


def test_a_jti_is_good_for_one_exchange(keyed: Database) -> None:
    token = signed(claims(jti="once"))
    assert exchange(keyed, token).jti == "once"
    assert "used before" in refused(keyed, token)
    assert exchange(keyed, signed(claims(jti="twice"))).jti == "twice"


def test_of_many_at_once_one_spends_the_jti(keyed: Database) -> None:
    token = signed(claims(jti="once"))

    def one(_: int) -> bool:
        try:
            exchange(keyed, token)
        except AssertionRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(16))) == 1


def test_a_jti_is_spent_only_when_the_exchange_is_committed(keyed: Database) -> None:
    token = signed(claims(jti="once"))
    with keyed.write() as session:
        assertions.exchange(session, session.get_one(Site, host.SITE), token, NOON)
        session.rollback()
    exchange(keyed, token)


def test_a_refusal_never_repeats_what_was_sent(keyed: Database) -> None:
    marked = claims(sub=["MARK"], name="MARK")
    assert "MARK" not in refused(keyed, by_hand({"alg": "HS256", "kid": "k1"}, marked))
    assert "MARK" not in refused(keyed, by_hand({"alg": "MARK", "kid": "k1"}, claims()))
    assert SECRET not in refused(keyed, by_hand({"alg": "HS256", "kid": "k1"}, claims(), b"x" * 32))


# ---- registering keys ----


@pytest.mark.parametrize(
    ("offer", "says"),
    [
        (Offer("k", ISSUER, "none"), "algorithm"),
        (Offer("k", ISSUER, "HS512"), "algorithm"),
        (Offer("", ISSUER), "kid"),
        (Offer("a b", ISSUER), "kid"),
        (Offer("k", "guest"), "guest"),
        (Offer("k", ""), "issuer"),
        (Offer("k", ISSUER, secret="short"), "32 bytes"),
        (Offer("k", ISSUER, secret="-----BEGIN PUBLIC KEY-----" + "x" * 40), "PEM"),
        (Offer("k", ISSUER, "RS256"), "PEM"),
        (Offer("k", ISSUER, "RS256", public_key="-----BEGIN PRIVATE KEY-----"), "must not leave"),
        (Offer("k", ISSUER, "RS256", secret="s" * 40), "PEM"),
        (Offer("k", ISSUER, public_key="x"), "no public key"),
        (Offer("k", ISSUER, secret="s" * 40, public_key="x"), "not both"),
    ],
)
def test_a_key_that_cannot_be_trusted_is_not_registered(db: Database, offer: Offer, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        add(db, offer)


def test_weak_foreign_and_private_keys_are_not_registered(db: Database) -> None:
    weak = rsa.generate_private_key(65_537, 1_024)
    curve = ec.generate_private_key(ec.SECP384R1())
    private = pair("ES256")
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for algorithm, given in (
        ("RS256", public(weak)),
        ("ES256", public(curve)),
        ("EdDSA", public(private)),
        ("RS256", public(private)),
        ("ES256", pem),
    ):
        with pytest.raises(Invalid):
            add(db, Offer("k", ISSUER, algorithm, public_key=given))


def test_no_more_than_two_keys_live_and_a_kid_never_comes_back(keyed: Database) -> None:
    add(keyed, Offer("k2", ISSUER))
    with pytest.raises(Conflict, match="Two keys"):
        add(keyed, Offer("k3", ISSUER))
    with keyed.write() as session:
        assert host_keys.retire(session, host.SITE, "k1", now=NOON).secret is None
    with pytest.raises(Conflict, match="kid"):
        add(keyed, Offer("k1", ISSUER))
    with pytest.raises(NotFound), keyed.write() as session:
        host_keys.retire(session, host.SITE, "k9", now=NOON)
    with pytest.raises(NotFound):
        add(keyed, Offer("k1", ISSUER), site="nowhere")
