"""Signatures, judged by the published verifier, by the vectors of the standard and by a second implementation."""

from __future__ import annotations

import base64
import json
import random
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from service.models import new_id
from service.webhooks import signing
from service.webhooks.payloads import message_id

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BODY = json.dumps({"type": "comment.approved", "data": {"id": "c1", "name": "Ünï"}}).encode()

# The vectors that the reference implementations of the standard share.
VECTOR_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
VECTOR_TIMESTAMP = 1614265330
VECTOR_BODY = b'{"test": 2432232314}'
VECTOR_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR_V1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
VECTOR_PRIVATE = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
VECTOR_SEED = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc="
VECTOR_PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
VECTOR_V1A = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="


def accepts(secret: str, headers: dict[str, str], body: bytes = BODY) -> bool:
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


def accepts_ed25519(public: str, headers: dict[str, str], body: bytes = BODY) -> bool:
    """What a receiver with only the public key does, written from the standard's text."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    for signature in headers["webhook-signature"].split(" "):
        version, value = signature.split(",")
        if version != "v1a":
            continue
        try:
            key.verify(base64.b64decode(value), content)
        except InvalidSignature:
            continue
        return True
    return False


def sent(*keys: str, body: bytes = BODY) -> dict[str, str]:
    return signing.headers(keys, message_id(new_id()), datetime.now(UTC), body)


@pytest.mark.parametrize(
    ("key", "signature"),
    [(VECTOR_SECRET, VECTOR_V1), (VECTOR_PRIVATE, VECTOR_V1A), (VECTOR_SEED, VECTOR_V1A)],
)
def test_the_vectors_of_the_standard_come_out(key: str, signature: str) -> None:
    assert signing.sign([key], VECTOR_ID, VECTOR_TIMESTAMP, VECTOR_BODY) == signature


def test_the_public_key_of_the_vector_comes_out() -> None:
    assert signing.public_key(VECTOR_PRIVATE) == VECTOR_PUBLIC
    assert signing.public_key(VECTOR_SEED) == VECTOR_PUBLIC


def test_the_published_library_accepts_a_signed_event() -> None:
    secret = signing.new_secret()
    assert accepts(secret, sent(secret))


def test_the_published_library_refuses_another_secret_a_changed_body_and_a_changed_id() -> None:
    secret = signing.new_secret()
    headers = sent(secret)
    assert accepts(secret, headers)
    assert not accepts(signing.new_secret(), headers)
    assert not accepts(secret, headers, BODY + b" ")
    assert not accepts(secret, headers | {"webhook-id": message_id(new_id())})
    assert not accepts(secret, headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)})


def test_a_rotation_is_accepted_before_during_and_after_by_whoever_has_a_live_secret() -> None:
    old, new = signing.new_secret(), signing.new_secret()
    before, during, after = sent(old), sent(new, old), sent(new)
    assert [accepts(old, headers) for headers in (before, during, after)] == [True, True, False]
    assert [accepts(new, headers) for headers in (before, during, after)] == [False, True, True]


def test_a_receiver_with_the_public_key_accepts_before_during_and_after_a_rotation() -> None:
    (old, old_public), (new, new_public) = signing.new_keypair(), signing.new_keypair()
    before, during, after = sent(old), sent(new, old), sent(new)
    assert [accepts_ed25519(old_public, headers) for headers in (before, during, after)] == [True, True, False]
    assert [accepts_ed25519(new_public, headers) for headers in (before, during, after)] == [False, True, True]
    assert not accepts_ed25519(old_public, before, BODY + b" ")


def test_both_schemes_stand_side_by_side_and_each_receiver_finds_its_own() -> None:
    secret, (private, public) = signing.new_secret(), signing.new_keypair()
    headers = sent(secret, private)
    versions = [signature.split(",")[0] for signature in headers["webhook-signature"].split(" ")]
    assert versions == ["v1", "v1a"]
    assert accepts(secret, headers)
    assert accepts_ed25519(public, headers)


def test_a_retry_keeps_the_id_and_signs_its_own_time() -> None:
    secret, message = signing.new_secret(), message_id(new_id())
    first = signing.headers([secret], message, NOW, BODY)
    second = signing.headers([secret], message, NOW + timedelta(seconds=5), BODY)
    assert first["webhook-id"] == second["webhook-id"] == message
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 5
    assert first["webhook-signature"] != second["webhook-signature"]


def test_the_timestamp_is_the_instant_whatever_its_time_zone() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert signing.headers([VECTOR_SECRET], VECTOR_ID, elsewhere, BODY) == signing.headers(
        [VECTOR_SECRET], VECTOR_ID, NOW, BODY
    )


def test_keys_are_fresh_and_have_their_shape() -> None:
    assert len({signing.new_secret() for _ in range(50)}) == 50
    private, public = signing.new_keypair()
    assert (private[:5], public[:5]) == ("whsk_", "whpk_")
    assert signing.public_key(private) == public
    assert len(base64.b64decode(signing.new_secret().removeprefix("whsec_"), validate=True)) == 32


@pytest.mark.parametrize(
    "key",
    [
        "",
        "whsec_",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
        "whsec_not base64 at all!!",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        VECTOR_PUBLIC,
        "whsk_" + base64.b64encode(b"x" * 31).decode(),
        "whsk_" + base64.b64encode(b"x" * 64).decode(),
        "whsk_ünïcode",
    ],
)
def test_a_malformed_key_is_refused_and_never_repeated_in_the_message(key: str) -> None:
    with pytest.raises(ValueError, match=r"\S") as refusal:
        signing.sign([key], VECTOR_ID, VECTOR_TIMESTAMP, VECTOR_BODY)
    secret_part = key.rpartition("_")[2]
    assert not secret_part or secret_part not in str(refusal.value)


@pytest.mark.parametrize("message_id", ["", "msg_", "msg_a.1", "msg_a b", "evt_a", "msg_a\n", "msg_" + "a" * 65])
def test_an_id_that_could_shift_the_borders_of_the_signed_text_is_refused(message_id: str) -> None:
    with pytest.raises(ValueError, match="message id"):
        signing.sign([VECTOR_SECRET], message_id, VECTOR_TIMESTAMP, VECTOR_BODY)


def test_nothing_is_sent_unsigned() -> None:
    with pytest.raises(ValueError, match="at least one"):
        signing.sign([], VECTOR_ID, VECTOR_TIMESTAMP, VECTOR_BODY)


def retries(seed: int) -> list[timedelta]:
    """How long after the event each attempt of one delivery runs, when every attempt fails at once."""
    rng, now = random.Random(seed), NOW
    times: list[timedelta] = []
    while due := signing.next_attempt(len(times), now, rng):
        now = due
        times.append(now - NOW)
    return times


def test_the_first_attempt_is_immediate_and_the_tenth_about_75_hours_later_is_the_last() -> None:
    times = retries(seed=1)
    assert len(times) == 10
    assert times[0] == timedelta(0)
    assert timedelta(hours=68) < times[-1] < timedelta(hours=83, minutes=9)


@given(st.integers())
def test_each_wait_is_that_of_the_schedule_give_or_take_ten_percent(seed: int) -> None:
    times = retries(seed)
    waits = [later - earlier for earlier, later in zip([timedelta(0), *times], times, strict=False)]
    for wait, planned in zip(waits, signing.SCHEDULE, strict=True):
        assert planned * 0.9 <= wait <= planned * 1.1


def test_deliveries_that_failed_together_do_not_come_back_together() -> None:
    due = {signing.next_attempt(3, NOW, random.Random(seed)) for seed in range(100)}
    assert len(due) == 100


def test_retry_after_lengthens_a_wait_and_never_shortens_it() -> None:
    asked = timedelta(minutes=10)
    soon = signing.next_attempt(1, NOW, random.Random(1), asked)
    late = signing.next_attempt(9, NOW, random.Random(1), asked)
    assert soon is not None
    assert late is not None
    assert NOW + asked <= soon <= NOW + asked * 1.1
    assert late >= NOW + timedelta(hours=24) * 0.9


def test_retry_after_cannot_park_a_delivery_for_ever_nor_add_attempts() -> None:
    parked = signing.next_attempt(1, NOW, random.Random(1), timedelta(days=4000))
    assert parked is not None
    assert parked <= NOW + timedelta(hours=24) * 1.1
    assert signing.next_attempt(10, NOW, random.Random(1), timedelta(seconds=1)) is None


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (None, None),
        ("", None),
        ("0", timedelta(0)),
        ("120", timedelta(seconds=120)),
        (" 120 ", timedelta(seconds=120)),
        ("9" * 5000, timedelta(hours=24)),
        ("-5", None),
        ("1.5", None),
        ("１２０", None),
        ("soon", None),
        (format_datetime(NOW + timedelta(minutes=7), usegmt=True), timedelta(minutes=7)),
        (format_datetime(NOW - timedelta(minutes=7), usegmt=True), None),
        (format_datetime(NOW + timedelta(days=400), usegmt=True), timedelta(hours=24)),
        ("Sun, 01 Mar 2026 12:00:10 -0000", timedelta(seconds=10)),
        ("Fri, 31 Dec 9999 23:59:59 -2359", timedelta(hours=24)),
        ("Sun, 01 Mar 2026 12:00:10 +99999999999999", None),
    ],
)
def test_both_forms_of_retry_after_are_read_and_nonsense_is_not(header: str | None, wait: timedelta | None) -> None:
    assert signing.read_retry_after(header, NOW) == wait


@given(st.text())
def test_no_retry_after_header_raises(header: str) -> None:
    wait = signing.read_retry_after(header, NOW)
    assert wait is None or timedelta(0) <= wait <= timedelta(hours=24)
