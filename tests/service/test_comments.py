"""The author's verbs and the thread, through HTTP, on a real migrated database."""

from __future__ import annotations

from importlib import import_module

import pytest
from sqlmodel import select

from service import front
from service.models import Comment, CommentVersion
from service.web import schemas
from tests.service.conftest import FINE, FOUL, ORIGIN, Build, Newsroom, Reader

# ---- submit ----


def test_a_fine_comment_is_published_at_once(room: Newsroom, ada: Reader) -> None:
    answer = ada.post(FINE)
    assert answer.status_code == 201
    assert answer.json["status"] == "approved"
    assert answer.headers["Location"].endswith(answer.json["id"])
    thread = room.thread()
    assert [comment["id"] for comment in thread["comments"]] == [answer.json["id"]]
    assert thread["article"]["count"] == 1


def test_a_foul_comment_waits_and_only_its_author_sees_it(room: Newsroom, ada: Reader, bo: Reader) -> None:
    answer = ada.post(FOUL)
    assert answer.status_code == 202
    assert answer.json["status"] == "pending"
    reasons = answer.json["reasons"]
    assert reasons
    assert all(reason["sentence"] for reason in reasons)
    start, end = reasons[0]["spans"][0]
    assert FOUL[start:end] in ("fucking", "fucking idiot", "idiot")
    assert room.thread()["comments"] == []
    assert room.client.get(f"/api/v1/comments/{answer.json['id']}").status_code == 404
    assert [mine["status"] for mine in ada.mine()] == ["pending"]
    assert bo.mine() == []


def test_the_same_key_makes_one_comment_and_the_same_answer(room: Newsroom, ada: Reader) -> None:
    first, again = ada.post(FINE, key="k"), ada.post(FINE, key="k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json["id"] == again.json["id"]
    assert room.thread()["article"]["count"] == 1


def test_a_key_used_for_another_text_is_refused(ada: Reader) -> None:
    ada.post(FINE, key="k")
    answer = ada.post("Something else entirely.", key="k")
    assert (answer.status_code, answer.json["code"]) == (409, "idempotency-key-reused")


def test_two_authors_may_use_the_same_key(ada: Reader, bo: Reader) -> None:
    assert ada.post(FINE, key="k").json["id"] != bo.post("Twenty minutes is a lot of time.", key="k").json["id"]


def test_an_article_appears_only_where_its_address_is_on_the_sites_origins(room: Newsroom, ada: Reader) -> None:
    def post(url: str) -> int:
        body = {"site": "courier", "article": {"key": "new", "url": url}, "text": FINE}
        return room.client.post("/api/v1/comments", json=body, headers=ada.headers).status_code

    for url in (
        "https://attacker-courier.example/a",
        "https://courier.example.evil/a",
        "http://courier.example/a",
        "https://courier.example:444/a",
        "https://user@courier.example/a",
        "javascript:alert(1)",
        "x",
    ):
        assert post(url) == 400, url
    assert room.thread("new")["article"]["version"] == 0
    assert post(f"{ORIGIN}/a") == 201


def test_a_closed_article_takes_nothing_and_stores_nothing(room: Newsroom, ada: Reader) -> None:
    assert room.article(state="closed").status_code == 201
    answer = ada.post(FINE)
    assert (answer.status_code, answer.json["code"]) == (409, "article-closed")
    assert ada.mine() == []
    room.article(state="open")
    assert ada.post(FINE).status_code == 201


def test_on_a_premoderated_article_everything_waits(room: Newsroom, ada: Reader) -> None:
    room.article(moderation="pre")
    answer = ada.post(FINE)
    assert answer.status_code == 202
    assert [reason["code"] for reason in answer.json["reasons"]] == ["article.premoderated"]


@pytest.mark.parametrize(
    ("text", "detail"), [("", "empty"), ("   \n", "empty"), ("\u200b\u200b", "empty"), ("x" * 20_001, "long")]
)
def test_a_text_that_is_no_comment_is_refused_with_the_place(ada: Reader, text: str, detail: str) -> None:
    answer = ada.post(text)
    assert (answer.status_code, answer.json["code"]) == (400, "text-unfit")
    assert answer.json["errors"][0]["pointer"] == "/text"
    assert ada.mine() == []


def test_the_nudge_asks_once_and_stores_nothing_until_it_is_answered(room: Newsroom, ada: Reader) -> None:
    text = "Only a fucking idiot would build a bridge there."
    asked = ada.post(text, nudge=True)
    assert (asked.status_code, asked.json["code"]) == (409, "nudge")
    assert {text[start:end] for start, end in asked.json["spans"]} >= {"fucking idiot"}
    assert ada.mine() == []
    token = asked.json["nudge_token"]
    anyway = ada.post(text, nudge=True, nudge_token=token)
    assert anyway.status_code == 202
    spent = ada.post(text, nudge=True, nudge_token=token)
    assert spent.status_code == 409


# ---- threads ----


def test_replies_nest_and_answer_to_their_parent(room: Newsroom, ada: Reader, bo: Reader) -> None:
    top = ada.post(FINE).json["id"]
    reply = bo.post("Twenty minutes is a lot of time.", parent=top).json["id"]
    below = ada.post("It is. I use it to read.", parent=reply).json["id"]
    [comment] = room.thread()["comments"]
    assert comment["replies"]["comments"][0]["id"] == reply
    assert comment["replies"]["comments"][0]["replies"]["comments"][0]["id"] == below
    chain = room.client.get(f"/api/v1/comments/{below}").json
    assert [one["id"] for one in chain["context"]] == [top, reply]


def test_a_reply_needs_a_public_parent_on_the_same_article(ada: Reader, bo: Reader) -> None:
    held = ada.post(FOUL).json["id"]
    elsewhere = ada.post(FINE, article="other").json["id"]
    for parent in (held, elsewhere, "0" * 24):
        assert bo.post("An answer to nobody.", parent=parent).status_code == 404


@pytest.mark.parametrize("sort", ["newest", "oldest", "top"])
def test_cursors_give_every_comment_once_in_order(room: Newsroom, ada: Reader, bo: Reader, sort: str) -> None:
    made = []
    for number in range(7):
        room.clock.pass_(seconds=1)
        made.append(ada.post(f"Opinion number {number} about the bridge and its toll.").json["id"])
    room.client.put(f"/api/v1/comments/{made[3]}/reactions/like", headers=bo.headers)
    seen, cursor = [], None
    while True:
        page = room.thread(sort=sort, limit=3, **({"cursor": cursor} if cursor else {}))
        seen += [comment["id"] for comment in page["comments"]]
        cursor = page["next"]
        if cursor is None:
            break
    top = [made[3], *[one for one in reversed(made) if one != made[3]]]
    assert seen == {"newest": made[::-1], "oldest": made, "top": top}[sort]


def test_a_long_list_of_replies_has_a_cursor_of_its_own(room: Newsroom, ada: Reader) -> None:
    top = ada.post(FINE).json["id"]
    made = []
    for number in range(13):
        room.clock.pass_(seconds=1)
        made.append(ada.post(f"Reply number {number} to what was said.", parent=top).json["id"])
    replies = room.thread()["comments"][0]["replies"]
    assert replies["count"] == 13
    rest = room.client.get(f"/api/v1/comments/{top}/replies", query_string={"cursor": replies["next"]}).json
    assert [one["id"] for one in replies["comments"] + rest["comments"]] == made


def test_below_twenty_levels_a_reply_stands_beside_what_it_answers(room: Newsroom, ada: Reader) -> None:
    chain = [ada.post(FINE).json]
    for number in range(23):
        room.clock.pass_(seconds=1)
        chain.append(ada.post(f"Reply number {number} to what was said.", parent=chain[-1]["id"]).json)
    assert [one["depth"] for one in chain] == [*range(20), 20, 20, 20, 20]
    assert {one["parent"] for one in chain[20:]} == {chain[19]["id"]}
    [comment] = room.thread()["comments"]
    for one in chain[1:20]:
        [comment] = comment["replies"]["comments"]
        assert comment["id"] == one["id"]
    assert [reply["id"] for reply in comment["replies"]["comments"]] == [one["id"] for one in chain[20:]]


def test_a_chain_that_came_deeper_than_we_nest_breaks_no_page_and_can_be_read_to_its_end(
    room: Newsroom, ada: Reader
) -> None:
    made = ada.post(FINE).json["id"]
    with room.db.write() as session:
        comment, version = session.get_one(Comment, made), session.exec(select(CommentVersion)).one()
        comment.visible_replies, parent = 1, made
        for depth in range(1, 400):
            what = {"id": f"{depth:024x}", "parent_id": parent, "depth": depth, "visible_replies": int(depth < 399)}
            session.add(Comment(**{**comment.model_dump(), **what}))
            session.flush()
            session.add(CommentVersion(**{**version.model_dump(exclude={"id"}), "comment_id": what["id"]}))
            parent = str(what["id"])
    page = room.thread()["comments"][0]["replies"]
    assert room.client.get("/embed/fragment?site=courier&article=bridge").status_code == 200
    last = made
    for _ in range(400):
        while page["comments"]:
            last, page = page["comments"][0]["id"], page["comments"][0]["replies"]
        if page["next"] is None:
            break
        page = room.client.get(f"/api/v1/comments/{last}/replies", query_string={"cursor": page["next"]}).json
    assert last == f"{399:024x}"


def test_a_page_holds_so_many_replies_and_says_where_the_rest_is(
    room: Newsroom, ada: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("service.comments.thread"), "BELOW_SHOWN", 3)
    top, answers = ada.post(FINE).json["id"], []
    for number in range(4):
        room.clock.pass_(seconds=1)
        answers.append(ada.post(f"Reply number {number} to what was said.", parent=top).json["id"])
    below = ada.post("And an answer to the first of them.", parent=answers[0]).json["id"]
    replies = room.thread()["comments"][0]["replies"]
    assert [one["id"] for one in replies["comments"]] == answers[:3]
    for of, onward, expected in (
        (top, replies["next"], answers[3:]),
        (answers[0], replies["comments"][0]["replies"]["next"], [below]),
    ):
        page = room.client.get(f"/api/v1/comments/{of}/replies", query_string={"cursor": onward}).json
        assert [one["id"] for one in page["comments"]] == expected


@pytest.mark.parametrize("cursor", ["x", "%00", "bmV3ZXN0", "W10", "WyJuZXdlc3QiLCAieCIsICJ5Il0", "é", "a" * 399])
def test_a_cursor_of_somebody_elses_making_is_refused(room: Newsroom, cursor: str) -> None:
    room.article()
    query = {"site": "courier", "article": "bridge", "cursor": cursor}
    assert room.client.get("/api/v1/comments", query_string=query).status_code == 400


def test_a_thread_is_what_its_schema_says(room: Newsroom, ada: Reader) -> None:
    top = ada.post(FINE).json["id"]
    ada.post("And it is well lit at night.", parent=top)
    assert schemas.ThreadOut().load(room.thread())
    mine = room.client.get("/api/v1/me/comments", headers=ada.headers).json
    assert schemas.MyCommentsOut().load(mine)
    assert schemas.PermalinkOut().load(room.client.get(f"/api/v1/comments/{top}").json)


def test_an_unchanged_thread_is_a_304_and_any_change_a_new_etag(room: Newsroom, ada: Reader) -> None:
    comment = ada.post(FINE).json["id"]
    path = "/api/v1/comments?site=courier&article=bridge"
    etag = room.client.get(path).headers["ETag"]
    assert room.client.get(path, headers={"If-None-Match": etag}).status_code == 304
    changes = [
        lambda: ada.post("Another opinion about the bridge."),
        lambda: ada.edit(comment, "The new bridge saves me half an hour."),
        lambda: room.client.put(f"/api/v1/comments/{comment}/reactions/like", headers=ada.headers),
        lambda: room.reader("Ada Lindqvist", renewal=ada.renewal),
        lambda: room.article(prompt="Was it worth it?"),
        lambda: ada.withdraw(comment),
    ]
    for change in changes:
        change()
        answer = room.client.get(path, headers={"If-None-Match": etag})
        assert answer.status_code == 200, change
        etag = answer.headers["ETag"]


@pytest.mark.parametrize(
    ("accepted", "coding"), [("br, gzip", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"), ("", None)]
)
def test_a_kept_thread_comes_in_the_coding_that_was_asked_for(
    room: Newsroom, accepted: str, coding: str | None
) -> None:
    path = "/api/v1/comments?site=courier&article=bridge"
    for _ in range(2):
        answer = room.client.get(path, headers={"Accept-Encoding": accepted})
        assert answer.headers.get("Content-Encoding") == coding
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_queries_that_differ_in_nothing_that_counts_fill_no_memory(
    room: Newsroom, ada: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada.post(FINE)
    kept = room.client.application.wsgi_app  # type: ignore[attr-defined]
    room.thread()
    monkeypatch.setattr(front, "MAX_BYTES", 3 * kept._bytes)
    for number in range(20):
        assert room.thread(nothing=number)["article"]["count"] == 1
    assert 0 < sum(entry.size for entry in kept._kept.values()) == kept._bytes <= front.MAX_BYTES


def test_counts_and_the_most_discussed(room: Newsroom, ada: Reader) -> None:
    for number in range(3):
        ada.post(f"Opinion {number} on the school, which is new.", article="school")
    ada.post(FINE)
    ada.post(FOUL)
    query = {"site": "courier", "article": ["bridge", "school", "nothing"]}
    answer = room.client.get("/api/v1/counts", query_string=query)
    assert answer.json == {"counts": {"bridge": 1, "school": 3, "nothing": 0}}
    found = room.client.get("/api/v1/discussed?site=courier").json["articles"]
    assert [article["key"] for article in found] == ["school", "bridge"]


# ---- edit and withdraw ----


def test_an_edit_is_a_new_version_judged_again(room: Newsroom, ada: Reader) -> None:
    comment = ada.post(FINE).json["id"]
    answer = ada.edit(comment, "The new bridge saves me *half an hour*.")
    assert answer.json["version"] == 2
    [shown] = room.thread()["comments"]
    assert shown["edited_at"] is not None
    assert shown["version"] == 2


def test_while_a_foul_edit_waits_the_approved_version_stays(room: Newsroom, ada: Reader) -> None:
    comment = ada.post(FINE).json["id"]
    answer = ada.edit(comment, FOUL)
    assert (answer.json["status"], answer.json["public_version"]) == ("pending", 1)
    [shown] = room.thread()["comments"]
    assert shown["version"] == 1
    assert "idiot" not in str(shown["nodes"])


def test_an_edit_of_a_version_that_is_not_the_latest_is_stale(ada: Reader) -> None:
    comment = ada.post(FINE).json["id"]
    ada.edit(comment, "The new bridge saves me half an hour.")
    answer = ada.edit(comment, "Written while looking at version one.", version=1)
    assert (answer.status_code, answer.json["code"]) == (409, "stale-version")


def test_the_window_for_edits_ends(room: Newsroom, ada: Reader) -> None:
    comment = ada.post(FINE).json["id"]
    room.clock.pass_(seconds=301)
    answer = ada.edit(comment, "Too late for this.")
    assert (answer.status_code, answer.json["code"]) == (409, "edit-window-over")


def test_what_readers_never_saw_can_be_mended_at_any_time(room: Newsroom, ada: Reader) -> None:
    held = ada.post(FOUL).json
    assert held["edit_until"] is None
    room.clock.pass_(seconds=600)
    answer = ada.edit(held["id"], "The new bridge saves me half an hour.")
    assert (answer.status_code, answer.json["status"]) == (200, "approved")


def test_nobody_touches_the_comment_of_another(room: Newsroom, ada: Reader, bo: Reader) -> None:
    comment = ada.post(FINE).json["id"]
    theirs = bo.edit(comment, "I was here.")
    nothing = bo.edit("0" * 24, "I was here.")
    assert theirs.status_code == nothing.status_code == 404
    assert theirs.json["detail"] == nothing.json["detail"]
    assert bo.withdraw(comment).status_code == 404
    assert room.thread()["article"]["count"] == 1


def test_a_withdrawn_comment_with_replies_leaves_a_placeholder(room: Newsroom, ada: Reader, bo: Reader) -> None:
    top = ada.post(FINE).json["id"]
    middle = bo.post("Twenty minutes is a lot of time.", parent=top).json["id"]
    ada.post("It is. I use it to read.", parent=middle)
    assert ada.withdraw(top).status_code == 200
    assert bo.withdraw(middle).status_code == 200
    [shown] = room.thread()["comments"]
    assert (shown["gone"], shown["author"], shown["nodes"]) == ("withdrawn", None, [])
    [below] = shown["replies"]["comments"]
    assert below["gone"] == "withdrawn"
    assert below["replies"]["count"] == 1
    assert room.thread()["article"]["count"] == 1


def test_a_withdrawal_can_be_undone_for_a_while(room: Newsroom, ada: Reader) -> None:
    comment = ada.post(FINE).json["id"]
    ada.withdraw(comment)
    assert room.thread()["comments"] == []
    path = f"/api/v1/comments/{comment}/restoration"
    assert room.client.post(path, headers=ada.headers).json["status"] == "approved"
    assert room.thread()["article"]["count"] == 1
    ada.withdraw(comment)
    room.clock.pass_(minutes=11)
    ada = room.reader("", renewal=ada.renewal)
    assert room.client.post(path, headers=ada.headers).status_code == 409


# ---- reactions and reports ----


def test_one_reaction_per_person_undoable(room: Newsroom, ada: Reader, bo: Reader) -> None:
    comment = ada.post(FINE).json["id"]
    path = f"/api/v1/comments/{comment}/reactions/like"
    for reader in (ada, bo, bo):
        answer = room.client.put(path, headers=reader.headers)
    assert answer.json == {"reactions": {"like": 2}, "mine": ["like"]}
    assert room.client.delete(path, headers=bo.headers).json == {"reactions": {"like": 1}, "mine": []}
    assert room.client.put(path.replace("like", "hate"), headers=bo.headers).status_code == 400


def test_a_reader_reports_a_comment_once(room: Newsroom, ada: Reader, bo: Reader) -> None:
    comment = ada.post(FINE).json["id"]
    path = f"/api/v1/comments/{comment}/reports"
    first = room.client.post(path, json={"reason": "spam"}, headers=bo.headers)
    again = room.client.post(path, json={"reason": "abuse"}, headers=bo.headers)
    assert (first.status_code, again.json) == (201, first.json)
    assert room.client.post(path, json={"reason": "because"}, headers=bo.headers).status_code == 400


# ---- the plain page ----


def test_the_plain_page_works_without_any_script(room: Newsroom) -> None:
    path = f"/embed/comments?site=courier&article=bridge&url={ORIGIN}/bridge"
    page = room.client.get(path)
    assert "Leave the first comment" in page.text
    assert "What is your opinion on this topic?" in page.text
    form = {"name": "Cy", "text": "<b>Good</b> & useful, this bridge."}
    said = room.client.post(path, data=form, follow_redirects=True)
    assert "Published." in said.text
    assert "&lt;b&gt;Good&lt;/b&gt; &amp; useful" in said.text
    held = room.client.post(path, data={"name": "Di", "text": FOUL}, follow_redirects=True)
    assert "Waiting for a moderator" in held.text
    assert "idiot" not in room.client.get(path).text
    foreign = room.client.post(path, data={"name": "Di", "text": FINE}, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403


def test_limits_say_when(build: Build) -> None:
    room = build(LIMIT_COMMENT="author 2/hour")
    ada = room.reader("Ada Berg")
    assert [ada.post(f"Opinion {n} on the bridge.").status_code for n in range(3)] == [201, 201, 429]
    refused = ada.post("One more opinion.")
    assert refused.json["code"] == "limited"
    assert int(refused.headers["Retry-After"]) == refused.json["retry_after"] > 0
    assert refused.headers["RateLimit-Policy"] == '"comment";q=2;w=3600'
