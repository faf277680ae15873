"""Moderation by API: a host reads the queue and decides as the desk does, in its own name, on its own site."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from service.identity import api_keys, host_keys
from service.web import schemas_moderation as schemas
from tests.service.conftest import FINE, FOUL, ORIGIN, Newsroom, Reader


def ask(room: Newsroom, method: str, path: str, status: int, **more: Any) -> Any:
    answer = room.host(method, f"/api/v1{path}", **more)
    assert answer.status_code == status, answer.text
    return answer.get_json(silent=True)


def verdict(room: Newsroom, comment_id: str, status: int = 201, **body: Any) -> Any:
    return ask(room, "POST", f"/comments/{comment_id}/decisions", status, json={"version": 1, **body})


@pytest.fixture
def held(ada: Reader) -> str:
    """Ada's foul comment, which waits."""
    comment: str = ada.post(FOUL).json["id"]
    return comment


@pytest.fixture
def reason(room: Newsroom, held: str) -> str:
    """A reason that the site's policy has, as the refusal of a wrong one lists them."""
    told = verdict(room, held, 400, verdict="reject", reason="nonsense")
    return str(told["detail"].split(": ")[1].split(",")[0].rstrip("."))


def test_the_queue_and_its_card_hold_what_a_decision_needs(room: Newsroom, bo: Reader, held: str) -> None:
    bo.post(FINE)
    page = ask(room, "GET", "/queue", 200)
    assert schemas.QueueOut().validate(page) == {}
    (row,) = page["comments"]
    assert (row["id"], row["version"], row["status"], row["article"]["key"]) == (held, 1, "pending", "bridge")
    assert row["codes"]
    card = ask(room, "GET", f"/queue/{held}", 200)
    assert schemas.CardOut().validate(card) == {}
    assert card["versions"][0]["text"] == FOUL
    spans = [FOUL[start:end] for finding in card["findings"] for start, end in finding["spans"]]
    assert any("idiot" in words for words in spans)
    assert ask(room, "GET", "/queue/counts", 200)["pending"] == 1


def test_an_approval_publishes_that_version_and_stands_in_the_history(room: Newsroom, held: str) -> None:
    done = verdict(room, held, verdict="approve", note="fair enough")
    assert (done["comment"], done["status"]) == (held, "approved")
    assert [comment["id"] for comment in room.thread()["comments"]] == [held]
    history = ask(room, "GET", f"/comments/{held}/decisions", 200)
    assert schemas.HistoryOut().validate(history) == {}
    last = history["decisions"][-1]
    assert (last["actor"], last["actor_name"], last["note"]) == ("host", "host", "fair enough")
    assert ask(room, "GET", "/queue", 200)["comments"] == []
    told = [event["type"] for event in ask(room, "GET", "/events", 200)["events"]]
    assert told[-1] == "comment.approved"


def test_a_rejection_needs_a_reason_of_the_policy_and_can_be_undone(
    room: Newsroom, ada: Reader, held: str, reason: str
) -> None:
    verdict(room, held, 400, verdict="reject")
    done = verdict(room, held, verdict="reject", reason=reason)
    assert ada.mine()[0]["status"] == "rejected"
    undone = ask(room, "POST", f"/decisions/{done['id']}/undo", 201)
    assert undone["status"] == "pending"
    assert ask(room, "POST", f"/decisions/{done['id']}/undo", 409)["code"] == "stale-version"
    assert ask(room, "GET", "/queue", 200)["comments"][0]["id"] == held


def test_the_second_of_two_is_told_who_was_faster(room: Newsroom, held: str, reason: str) -> None:
    first = verdict(room, held, verdict="approve")
    refused = verdict(room, held, 409, verdict="reject", reason=reason)
    assert (refused["code"], refused["by"], refused["revision"]) == ("stale-version", "host", first["revision"])
    turned = verdict(room, held, verdict="reject", reason=reason, revision=first["revision"])
    assert turned["status"] == "rejected"


def test_a_verdict_on_an_old_text_writes_nothing(room: Newsroom, ada: Reader, held: str) -> None:
    ada.edit(held, FOUL + " And another thing.")
    refused = verdict(room, held, 409, verdict="approve")
    assert (refused["code"], refused["latest"]) == ("stale-version", 2)
    assert room.thread()["comments"] == []


@pytest.mark.parametrize(
    "query",
    [
        "view=mine",
        "view=x",
        "order=x",
        "limit=0",
        "limit=201",
        "cursor=x",
        "cursor=nan/x&order=oldest",
        "cursor=2026-01-01/x&order=newest",
        "cursor=9999-99-99T00:00:00Z/x&order=newest",
        "cursor=0001-01-01T00:00:00%2B14:00/x&order=newest",
        "author=x",
        "band=awful",
        "writer=old",
        "lowest=0.5",
        "lowest=nan&attribute=insult",
        "highest=2&attribute=insult",
        "since=2026-01-01T00:00:00",
        "since=0001-01-01T00:00:00%2B14:00",
        "until=soon",
    ],
)
def test_a_query_that_means_nothing_is_refused(room: Newsroom, query: str) -> None:
    ask(room, "GET", f"/queue?{query}", 400)


def test_pages_follow_the_last_row_seen(room: Newsroom, ada: Reader, bo: Reader) -> None:
    posted = [reader.post(f"{FOUL} {number}").json["id"] for number in range(3) for reader in (ada, bo)]
    for order in ("urgent", "oldest", "newest"):
        seen: list[str] = []
        cursor = ""
        while cursor is not None:
            page = ask(room, "GET", "/queue", 200, query_string={"limit": 4, "order": order, "cursor": cursor})
            seen += [row["id"] for row in page["comments"]]
            cursor = page["next"]
        assert sorted(seen) == sorted(posted)


def test_another_sites_comments_do_not_exist_and_other_scopes_do_not_reach(room: Newsroom, held: str) -> None:
    with room.db.write() as session:
        _, eves = api_keys.create(session, "other", "eve", ["moderate"], now=room.clock())
        _, reads = api_keys.create(session, room.site, "reads", ["events"], now=room.clock())
    room.api_key = eves
    nothing = "0" * 24
    for method, path, body in (
        ("GET", "/queue/{}", None),
        ("GET", "/comments/{}/decisions", None),
        ("POST", "/comments/{}/decisions", {"verdict": "approve", "version": 1}),
    ):
        there, absent = (ask(room, method, path.format(id_), 404, json=body) for id_ in (held, nothing))
        assert there["detail"] == absent["detail"]
    assert ask(room, "GET", "/queue", 200)["comments"] == []
    room.api_key = reads
    ask(room, "GET", "/queue", 403)
    verdict(room, held, 403, verdict="approve")


# ---- featuring ----


def test_a_featured_comment_stands_above_the_thread_until_it_is_taken_down(room: Newsroom, ada: Reader) -> None:
    comment = ada.post(FINE).json["id"]
    for _ in range(2):
        ask(room, "PUT", f"/comments/{comment}/feature", 204)
    assert [found["id"] for found in room.thread()["featured"]] == [comment]
    ask(room, "DELETE", f"/comments/{comment}/feature", 204)
    assert room.thread()["featured"] == []
    told = [event for event in ask(room, "GET", "/events", 200)["events"] if event["type"] == "comment.featured"]
    assert [event["data"]["featured"] for event in told] == [True, False]


def test_what_readers_do_not_see_cannot_be_featured(room: Newsroom, held: str) -> None:
    ask(room, "PUT", f"/comments/{held}/feature", 409)
    ask(room, "PUT", f"/comments/{'0' * 24}/feature", 404)


# ---- authors and search ----


def test_an_author_is_read_muted_and_freed_by_api(room: Newsroom, ada: Reader, held: str) -> None:
    person = ask(room, "GET", f"/authors/{ada.id}", 200)
    assert schemas.PersonOut().validate(person) == {}
    assert (person["name"], person["waiting"], person["banned"]) == ("Ada Berg", 1, False)
    assert person["comments"][0]["text"] == FOUL
    mute = {"verb": "mute", "reason": "abuse", "days": 2, "note": "second time"}
    muted = ask(room, "POST", f"/authors/{ada.id}/actions", 201, json=mute)
    assert muted["muted_until"] == "2026-03-04T09:00:00.000Z"
    assert (muted["notes"][0]["verb"], muted["notes"][0]["note"]) == ("mute", "second time")
    assert ada.post(FINE).status_code == 403
    assert ask(room, "POST", f"/authors/{ada.id}/actions", 201, json={"verb": "unmute"})["muted_until"] is None
    assert ada.post(FINE).status_code in (201, 202)
    told = [event["type"] for event in ask(room, "GET", "/events", 200)["events"]]
    assert "author.muted" in told


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"verb": "delete"},
        {"verb": "mute", "reason": "x"},
        {"verb": "ban"},
        {"verb": "mute", "days": 0, "reason": "x"},
    ],
)
def test_an_action_that_means_nothing_is_refused(room: Newsroom, ada: Reader, body: dict[str, Any]) -> None:
    ask(room, "POST", f"/authors/{ada.id}/actions", 400, json=body)


def test_an_author_of_another_site_does_not_exist(room: Newsroom, ada: Reader) -> None:
    with room.db.write() as session:
        _, eves = api_keys.create(session, "other", "eve", ["authors"], now=room.clock())
    room.api_key = eves
    there, absent = (ask(room, "GET", f"/authors/{id_}", 404) for id_ in (ada.id, "0" * 24))
    assert there["detail"] == absent["detail"]
    ask(room, "POST", f"/authors/{ada.id}/actions", 404, json={"verb": "trust"})


def test_the_queue_is_searched_by_words(room: Newsroom, ada: Reader, held: str) -> None:
    other = ada.post(f"{FOUL} Aubergine!").json["id"]
    found = ask(room, "GET", "/queue", 200, query_string={"words": "aubergine"})["comments"]
    assert [row["id"] for row in found] == [other]
    for odd in ('"', "a OR", "*", "NEAR(", "'; --", "(", "-", "AND", "a\\", "%"):
        ask(room, "GET", "/queue", 200, query_string={"words": odd})


# ---- badges ----


def badges(room: Newsroom) -> dict[str, str | None]:
    """What stands beside each name under the bridge."""
    return {comment["author"]["name"]: comment["author"]["badge"] for comment in room.thread()["comments"]}


def test_staff_are_marked_for_readers_at_once_and_unmarked_again(room: Newsroom, ada: Reader, bo: Reader) -> None:
    ada.post("The council will count the traffic for a year.")
    bo.post("A year is long.")
    assert set(badges(room).values()) == {None}
    ask(room, "POST", f"/authors/{ada.id}/actions", 201, json={"verb": "mark_staff"})
    assert badges(room) == {"Ada Berg": "staff", "Bo Lund": None}
    room.clock.pass_(seconds=1)
    found = ask(room, "POST", f"/authors/{ada.id}/actions", 201, json={"verb": "unmark"})
    assert badges(room) == {"Ada Berg": None, "Bo Lund": None}
    assert [note["verb"] for note in found["notes"]] == ["unmark", "mark_staff"]


def test_who_wrote_an_article_is_said_by_its_host_and_under_that_article_alone(room: Newsroom) -> None:
    with room.db.write() as session:
        offer = host_keys.Offer("k1", ORIGIN, secret="a-secret-of-the-host-that-has-40-bytes-in")
        secret = host_keys.add(session, "courier", offer, now=room.clock()).secret
    at = int(room.clock().timestamp())
    claims = {"iss": ORIGIN, "aud": "courier", "sub": "jonas", "name": "Jonas Rehn", "iat": at, "exp": at + 300}
    assert secret is not None
    jonas = room.reader("", assertion=jwt.encode(claims, secret, "HS256", headers={"kid": "k1"}))
    namesake = room.reader("jonas")
    room.article("ferry")
    assert room.article(writers=["jonas", "jonas"]).json["writers"] == ["jonas"]
    for reader in (jonas, namesake):
        reader.post("The track is to be grassed.")
        reader.post("The ferry goes at seven.", article="ferry")
    assert badges(room) == {"Jonas Rehn": "author", "jonas": None}
    assert {one["author"]["badge"] for one in room.thread("ferry")["comments"]} == {None}
    room.article(title="The bridge")
    assert badges(room)["Jonas Rehn"] == "author"
    room.article(writers=[])
    assert badges(room)["Jonas Rehn"] is None


# ---- what the desk's other pages show and do ----


def test_the_filters_of_the_desk_narrow_the_queue(room: Newsroom, held: str) -> None:
    (row,) = ask(room, "GET", "/queue?view=all", 200)["comments"]
    top = row["top"]["attribute"] or "insult"
    score = row["scores"].get(top, 0)
    for query, found in (
        ("band=low", 1),
        (f"attribute={top}&lowest={max(score - 0.01, 0)}&highest=1", 1 if top in row["scores"] else 0),
        (f"attribute={top}&lowest=0&highest=0.0001", 0),
        ("writer=new", 1),
        ("writer=rejected", 0),
        ("since=2026-01-01T00:00:00Z&until=2026-12-31T00:00:00%2B02:00", 1),
        ("until=2026-01-01T00:00:00Z", 0),
        ("alike=0000", 0),
    ):
        assert len(ask(room, "GET", f"/queue?{query}", 200)["comments"]) == found, query


def test_the_reasons_are_a_tree_whose_codes_reject(room: Newsroom, held: str) -> None:
    told = ask(room, "GET", "/reasons", 200)
    assert schemas.ReasonsOut().validate(told) == {}
    reason = told["reasons"][0]
    verdict(room, held, verdict="reject", reason=(reason["finer"] or [reason])[0]["code"])


def test_a_card_is_escalated_and_stays_waiting(room: Newsroom, held: str) -> None:
    done = ask(room, "POST", f"/comments/{held}/escalation", 201, json={"version": 1, "note": "a lawyer, please"})
    assert done["status"] == "pending"
    assert [row["id"] for row in ask(room, "GET", "/queue?view=escalated", 200)["comments"]] == [held]
    ask(room, "POST", f"/comments/{held}/escalation", 404, json={"version": 9})


def test_many_are_previewed_decided_and_taken_back_as_one(room: Newsroom, ada: Reader, bo: Reader) -> None:
    mine = [ada.post(f"{FOUL} {number}").json["id"] for number in range(3)]
    bo.post(FOUL)
    room.clock.pass_(minutes=1)
    seen = ask(room, "GET", f"/queue/preview?author={ada.id}", 200)
    assert schemas.PreviewOut().validate(seen) == {}
    assert (seen["count"], len(seen["sample"])) == (3, 3)
    body = {"verdict": "reject", "reason": "abuse", "seen_at": seen["seen_at"], "filters": {"author": ada.id}}
    batch = ask(room, "POST", "/queue/decisions", 201, json=body)
    assert (batch["done"], batch["left_out"]) == (3, 0)
    assert {one["status"] for one in ada.mine()} == {"rejected"}
    assert ask(room, "POST", f"/batches/{batch['id']}/undo", 201, json={})["done"] == 3
    body["ids"] = mine[:1]
    assert ask(room, "POST", "/queue/decisions", 201, json=body)["done"] == 1
    assert sorted(one["status"] for one in ada.mine()) == ["pending", "pending", "rejected"]
    for wrong in (
        {"verdict": "hold"},
        {"reason": "nonsense"},
        {"filters": {"x": 1}},
        {"seen_at": "now"},
        {"ids": ["x"]},
    ):
        ask(room, "POST", "/queue/decisions", 400, json={**body, **wrong})


def test_the_numbers_are_those_of_the_desk(room: Newsroom, ada: Reader, held: str) -> None:
    ada.post(FINE)
    told = ask(room, "GET", "/numbers?days=7&attribute=insult", 200)
    assert schemas.NumbersOut().validate(told) == {}
    assert (len(told["days"]), told["days"][-1]["waiting"], told["days"][-1]["unread"]) == (7, 1, 1)
    assert (told["latency"]["held"], told["latency"]["decided"], told["latency"]["half_within"]) == (1, 0, None)
    ask(room, "GET", "/numbers?days=91", 400)


def test_another_sites_batches_do_not_exist(room: Newsroom, ada: Reader, held: str) -> None:
    room.clock.pass_(minutes=1)
    seen = ask(room, "GET", "/queue/preview", 200)["seen_at"]
    batch = ask(room, "POST", "/queue/decisions", 201, json={"verdict": "approve", "seen_at": seen})
    with room.db.write() as session:
        _, other = api_keys.create(session, "other", "eve", api_keys.SCOPES, now=room.clock())
    eve = {"Authorization": f"Bearer {other}"}
    assert room.client.post(f"/api/v1/batches/{batch['id']}/undo", json={}, headers=eve).status_code == 404
    assert room.client.post(f"/api/v1/comments/{held}/escalation", json={"version": 1}, headers=eve).status_code == 404
    assert [one["status"] for one in ada.mine()] == ["approved"]
