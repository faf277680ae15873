"""The moderator's verbs: the queue, a verdict on one version, undo, leases, and what another site cannot see."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from moderation import load_policy
from service import review
from service.db import Database
from service.errors import CardTaken, Conflict, FirstwordError, Forbidden, Invalid, NotFound, StaleVersion
from service.identity.readers import standing
from service.identity.staff import Staff
from service.judges import Judges
from service.models import Author, Event, Renewal
from service.review import Ask, Decider, Done, Selection, Step, Verdict
from tests.service.newsroom import NOW, Newsroom, author, finding, hired, judgement, names, open_newsroom, write

POLICY = """
[sentences]
default = "A person will read it."
[reasons.attack]
key = "1"
label = "Attacks a person"
sentence = "It attacks a person rather than what the person said."
[reasons.attack.threat]
key = "2"
label = "Threat"
sentence = "It threatens somebody."
"""
FINE = judgement(scores={"insult": 0.01})
MINUTE = timedelta(minutes=1)


@pytest.fixture
def room(database_url: str) -> Iterator[Newsroom]:
    database = Database(database_url)
    yield open_newsroom(database)
    database.close()


@pytest.fixture(scope="module")
def judges() -> Judges:
    return Judges(lambda override: load_policy(POLICY, override), list, 1.0)


@pytest.fixture
def decide(room: Newsroom, judges: Judges) -> Callable[..., Done]:
    def run(comment_id: str, verdict: str = "approve", who: object = None, version: int = 1, **more: object) -> Done:
        at = more.pop("at", NOW)
        if verdict == "reject":
            more.setdefault("reason", "attack")
        by = who if isinstance(who, Decider) else Decider.at_desk(who or room.mo)  # type: ignore[arg-type]
        return review.decide(room.db, judges, by, Verdict(comment_id, version, verdict, **more), at)  # type: ignore[arg-type]

    return run


# ---- verdicts -----------------------------------------------------------------------------------------------------


def test_an_approved_comment_is_public_and_its_author_and_article_count_it(room: Newsroom, decide) -> None:  # type: ignore[no-untyped-def]
    held = room.comment()
    done = decide(held)
    comment = room.state(held)
    assert (done.status, comment.status, comment.public, comment.gone) == ("approved", "approved", 1, None)
    with room.db.read() as session:
        assert session.get_one(Author, room.bo).approved == 1


def test_a_rejected_comment_is_not_public_and_keeps_its_reason_and_note(room: Newsroom, decide) -> None:  # type: ignore[no-untyped-def]
    held = room.comment()
    decide(held, "reject", reason="attack.threat", note="Second time.")
    row = review.past(room.db, Decider.at_desk(room.mo), held)[-1]
    assert room.state(held).public is None
    assert (row.verb, row.reason, row.note, row.actor_name, row.before, row.after) == (
        "reject",
        "attack.threat",
        "Second time.",
        "Mo",
        "pending",
        "rejected",
    )


@pytest.mark.parametrize("reason", [None, "", "nonsense", "attack.", "attack.nonsense", "threat"])
def test_a_rejection_needs_a_reason_that_the_policy_has(room: Newsroom, decide, reason: str | None) -> None:  # type: ignore[no-untyped-def]
    held = room.comment()
    with pytest.raises(Invalid):
        decide(held, "reject", reason=reason)
    assert room.state(held).status == "pending"


def test_a_verdict_other_than_the_two_is_refused(room: Newsroom, decide) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Invalid):
        decide(room.comment(), "delete")


def test_a_published_comment_that_is_rejected_is_removed(room: Newsroom, decide) -> None:  # type: ignore[no-untyped-def]
    shown = room.comment(judged=FINE)
    decide(shown, "reject")
    assert (room.state(shown).public, room.state(shown).gone) == (None, "removed")


def test_rejecting_an_edit_leaves_the_text_that_readers_see(room: Newsroom, decide) -> None:  # type: ignore[no-untyped-def]
    shown = room.comment(judged=FINE)
    room.edit(shown, "Worse.")
    decide(shown, "reject", version=2)
    assert (room.state(shown).public, room.state(shown).gone, room.state(shown).status) == (1, None, "rejected")


def test_approving_the_old_version_never_publishes_the_edit(room: Newsroom, decide) -> None:  # type: ignore[no-untyped-def]
    held = room.comment()
    room.edit(held, "Much worse.")
    with pytest.raises(StaleVersion) as refused:
        decide(held, version=1)
    assert refused.value.extra["latest"] == 2
    assert room.state(held).public is None


def test_the_loser_of_a_race_learns_who_what_and_when_and_nothing_is_written(room: Newsroom, decide) -> None:  # type: ignore[no-untyped-def]
    held = room.comment()
    decide(held, who=room.ines)
    with pytest.raises(StaleVersion) as refused:
        decide(held, "reject", at=NOW + MINUTE)
    assert refused.value.extra["by"] == "Ines"
    assert refused.value.extra["verb"] == "approve"
    assert refused.value.extra["at"] == NOW.isoformat()
    assert len(review.past(room.db, Decider.at_desk(room.mo), held)) == 2


def test_what_a_person_decided_is_reversed_by_who_names_the_state_they_saw(room: Newsroom, decide) -> None:  # type: ignore[no-untyped-def]
    held = room.comment()
    done = decide(held, who=room.ines)
    with pytest.raises(StaleVersion):
        decide(held, "reject", revision=done.revision - 1)
    decide(held, "reject", revision=done.revision)
    assert room.state(held).gone == "removed"


def test_a_host_rejects_what_the_judgement_published_without_naming_a_state(room: Newsroom, decide) -> None:  # type: ignore[no-untyped-def]
    shown = room.comment(judged=FINE)
    decide(shown, "reject", who=Decider.host("key", "CMS", "courier"))
    assert room.state(shown).status == "rejected"


def test_of_two_moderators_at_the_same_moment_one_decides(room: Newsroom, decide) -> None:  # type: ignore[no-untyped-def]
    held = room.comment()
    start, outcomes = threading.Barrier(4), []

    def race(verdict: str, who: object) -> None:
        start.wait(timeout=10)
        try:
            outcomes.append(decide(held, verdict, who=who).status)
        except StaleVersion as lost:
            outcomes.append(lost.code)

    racers = [
        threading.Thread(target=race, args=(verdict, who))
        for verdict in ("approve", "reject")
        for who in (room.mo, room.ines)
    ]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(timeout=30)
    assert len(outcomes) == 4
    assert outcomes.count("stale-version") == 3
    assert len(review.past(room.db, Decider.at_desk(room.mo), held)) == 2


def test_a_verdict_is_told_to_the_host_in_the_same_transaction(room: Newsroom, decide) -> None:  # type: ignore[no-untyped-def]
    decide(room.comment(), "reject")
    with room.db.read() as session:
        told = session.exec(select(Event).order_by(Event.seq)).all()  # type: ignore[arg-type]
    assert [event.type for event in told] == ["comment.created", "comment.pending", "comment.rejected"]
    assert told[-1].payload["actor"] == "moderator"
    assert told[-1].payload["reason"] == "attack"


# ---- undo ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_undo_puts_everything_back_and_stays_in_the_history(room: Newsroom, decide, verdict: str) -> None:  # type: ignore[no-untyped-def]
    held = room.comment()
    room.report(held, author(room.db, "Reader"))
    before = room.state(held)
    done = decide(held, verdict)
    assert room.state(held).report_count == 0
    review.undo(room.db, Decider.at_desk(room.mo), done.decision_id, NOW + MINUTE)
    after = room.state(held)
    assert (after.status, after.public, after.gone, after.report_count) == (
        before.status,
        before.public,
        before.gone,
        1,
    )
    past = review.past(room.db, Decider.at_desk(room.mo), held)
    assert [row.verb for row in past] == ["judge", verdict, "undo"]
    assert past[-1].undoes == done.decision_id
    with room.db.read() as session:
        counted = session.get_one(Author, room.bo)
        assert (counted.approved, counted.rejected) == (0, 0)


def test_an_undone_comment_can_be_decided_again(room: Newsroom, decide) -> None:  # type: ignore[no-untyped-def]
    held = room.comment()
    review.undo(room.db, Decider.at_desk(room.mo), decide(held).decision_id, NOW)
    assert decide(held, "reject").status == "rejected"


def test_only_the_latest_decision_is_undone(room: Newsroom, decide) -> None:  # type: ignore[no-untyped-def]
    held = room.comment()
    first = decide(held)
    decide(held, "reject", who=room.ines, revision=first.revision)
    with pytest.raises(StaleVersion) as refused:
        review.undo(room.db, Decider.at_desk(room.mo), first.decision_id, NOW)
    assert refused.value.extra["by"] == "Ines"


def test_what_the_judgement_decided_is_no_undo(room: Newsroom) -> None:
    shown = room.comment(judged=FINE)
    judged = review.past(room.db, Decider.at_desk(room.mo), shown)[0]
    with pytest.raises(Conflict):
        review.undo(room.db, Decider.at_desk(room.mo), judged.id, NOW)


# ---- another site, another role -----------------------------------------------------------------------------------


def touches(room: Newsroom, judges: Judges, who: Decider, held: str, decision: str) -> dict[str, Callable[[], object]]:
    return {
        "approve": lambda: review.decide(room.db, judges, who, Verdict(held, 1, "approve"), NOW),
        "reject": lambda: review.decide(room.db, judges, who, Verdict(held, 1, "reject", "attack"), NOW),
        "undo": lambda: review.undo(room.db, who, decision, NOW),
        "escalate": lambda: review.escalate(room.db, who, held, 1, None, NOW),
    }


@pytest.mark.parametrize("verb", ["approve", "reject", "undo", "escalate"])
def test_eve_of_another_site_gets_the_answer_of_a_comment_that_is_not_there(
    room: Newsroom, judges: Judges, decide: Callable[..., Done], verb: str
) -> None:
    held, other = room.comment(), room.comment("Another one.")
    decision = decide(other).decision_id
    eve = Decider.at_desk(room.eve)
    answers = []
    for comment_id, decision_id in ((held, decision), ("0" * 24, "0" * 24)):
        with pytest.raises(FirstwordError) as refused:
            touches(room, judges, eve, comment_id, decision_id)[verb]()
        answers.append((type(refused.value), refused.value.code))
    assert answers[0] == answers[1] == (NotFound, "not-found")
    assert room.state(held).revision == 1


def test_eve_reads_nothing_of_another_site(room: Newsroom) -> None:
    held = room.comment()
    for read in (
        lambda: review.card(room.db, room.eve, held, NOW),
        lambda: review.queue(room.db, room.eve, Ask("courier"), NOW),
        lambda: review.counts(room.db, room.eve, "courier", NOW),
        lambda: review.count(room.db, room.eve, Ask("courier"), NOW),
        lambda: review.past(room.db, Decider.at_desk(room.eve), held),
        lambda: review.claim(room.db, room.eve, held, NOW),
    ):
        with pytest.raises(NotFound):
            read()
    assert review.queue(room.db, room.eve, Ask("canal"), NOW).rows == []


@pytest.mark.parametrize("verb", ["approve", "reject", "undo", "escalate"])
def test_an_analyst_reads_and_decides_nothing(
    room: Newsroom, judges: Judges, decide: Callable[..., Done], verb: str
) -> None:
    held, other = room.comment(), room.comment("Another one.")
    decision = decide(other).decision_id
    assert review.card(room.db, room.ann, held, NOW).comment.id == held
    with pytest.raises(Forbidden):
        touches(room, judges, Decider.at_desk(room.ann), held, decision)[verb]()
    with pytest.raises(Forbidden):
        review.claim(room.db, room.ann, held, NOW)


# ---- the queue ----------------------------------------------------------------------------------------------------


def test_the_queue_puts_the_grave_and_the_old_first_and_lets_nothing_starve(room: Newsroom) -> None:
    mild = judgement(finding("rules.links", "hold"))
    threat = judgement(finding("engine.threat", "reject", score=0.99, attribute="threat"), finding("engine.insult"))
    threat["outcome"] = "hold"
    room.comment("mild now", judged=mild, at=NOW)
    room.comment("insult now", at=NOW)
    room.comment("threat now", judged=threat, at=NOW)
    room.comment("mild yesterday", judged=mild, at=NOW - timedelta(days=1))
    page = review.queue(room.db, room.mo, Ask("courier"), NOW)
    assert [row.excerpt for row in page.rows] == ["mild yesterday", "threat now", "insult now", "mild now"]


def test_the_pages_of_a_view_cover_it_without_gap_or_repeat(room: Newsroom) -> None:
    for number in range(7):
        room.comment(f"n{number} text", at=NOW - number * MINUTE)
    for order in ("urgent", "oldest", "newest"):
        seen: list[str] = []
        after = ""
        for _ in range(5):
            page = review.queue(room.db, room.mo, Ask("courier", order=order, after=after, limit=2), NOW)
            seen += names(page.rows)
            if page.next is None:
                break
            after = page.next
        assert seen == [f"n{n}" for n in (range(7) if order == "newest" else range(6, -1, -1))], order


@pytest.mark.parametrize(
    "wrong",
    [
        {"view": "everything"},
        {"order": "best"},
        {"band": "awful"},
        {"writer": "old"},
        {"limit": 0},
        {"limit": 10_000},
        {"attribute": "insult"},
        {"lowest": 0.5},
        {"after": "nonsense"},
        {"after": "nan-/x/y"},
    ],
)
def test_filters_that_mean_nothing_are_refused(room: Newsroom, wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        review.queue(room.db, room.mo, Ask("courier", **wrong), NOW)  # type: ignore[arg-type]


def test_each_view_holds_what_its_name_says(room: Newsroom, decide) -> None:  # type: ignore[no-untyped-def]
    room.comment("pending")
    reported = room.comment("reported", judged=FINE)
    room.report(reported, author(room.db, "Reader"))
    edited = room.comment("edited", judged=FINE)
    room.edit(edited, "edited since")
    raised = room.comment("escalated")
    review.escalate(room.db, Decider.at_desk(room.ines), raised, 1, "Is this a quotation?", NOW)
    decide(room.comment("decided"), who=room.ines)
    decide(room.comment("mine"), "reject")
    with_views = {
        view: sorted(names(review.queue(room.db, room.mo, Ask("courier", view), NOW).rows)) for view in review.VIEWS
    }
    assert with_views.pop("sample") in ([], ["reported"], ["edited"])
    assert with_views == {
        "pending": ["edited", "escalated", "pending"],
        "reported": ["reported"],
        "edited": ["edited"],
        "escalated": ["escalated"],
        "decided": ["decided", "escalated", "mine"],
        "mine": ["mine"],
        "all": ["decided", "edited", "escalated", "mine", "pending", "reported"],
    }
    counts = review.counts(room.db, room.mo, "courier", NOW)
    assert {name: counts[name] for name in ("pending", "reported", "edited", "escalated", "mine")} == {
        "pending": 3,
        "reported": 1,
        "edited": 1,
        "escalated": 1,
        "mine": 1,
    }
    assert counts["oldest"] == 1800


FILTERS: list[tuple[dict[str, object], list[str]]] = [
    ({"codes": ("engine.insult",)}, ["insult"]),
    ({"codes": ("rules.links", "engine.insult")}, ["insult", "links"]),
    ({"codes": ("nothing",)}, []),
    ({"band": "high"}, ["insult"]),
    ({"band": "low"}, ["elsewhere", "insult", "links"]),
    ({"attribute": "insult", "lowest": 0.5}, ["insult"]),
    ({"attribute": "insult", "lowest": 0.0, "highest": 0.5}, ["links"]),
    ({"attribute": "nothing", "lowest": 0.0}, []),
    ({"article": "tram"}, ["elsewhere"]),
    ({"writer": "new"}, ["elsewhere", "insult", "links"]),
    ({"writer": "rejected"}, []),
    ({"language": "en"}, ["elsewhere", "insult", "links"]),
    ({"language": "de"}, []),
    ({"sections": ("Local",)}, []),
    ({"since": NOW - 20 * MINUTE}, ["elsewhere"]),
    ({"until": NOW - 20 * MINUTE}, ["insult", "links"]),
    ({"network": "net"}, ["links"]),
]


@pytest.mark.parametrize(("chosen", "left"), FILTERS, ids=lambda value: str(value)[:60])
def test_a_filter_leaves_what_it_says(room: Newsroom, chosen: dict[str, object], left: list[str]) -> None:
    room.comment("insult one")
    room.comment("links one", judged=judgement(finding("rules.links"), scores={"insult": 0.2}), network="net")
    room.comment("elsewhere one", judged=judgement(finding("rules.caps")), article="tram", at=NOW)
    ask = Ask("courier", **chosen)  # type: ignore[arg-type]
    assert sorted(names(review.queue(room.db, room.mo, ask, NOW).rows)) == left
    assert review.count(room.db, room.mo, ask, NOW) == len(left)


def test_an_escalated_card_moves_up_and_stays_waiting(room: Newsroom) -> None:
    first = room.comment("first", at=NOW - 60 * MINUTE)
    second = room.comment("second", at=NOW)
    review.escalate(room.db, Decider.at_desk(room.mo), second, 1, "Please look.", NOW)
    assert [row.id for row in review.queue(room.db, room.mo, Ask("courier"), NOW).rows] == [second, first]
    assert room.state(second).status == "pending"


# ---- the card -----------------------------------------------------------------------------------------------------


def test_the_card_shows_the_judgement_the_chain_and_what_belongs_to_it(room: Newsroom, decide) -> None:  # type: ignore[no-untyped-def]
    ada = author(room.db, "Ada")
    parent = write(room.db, "I have a bakery.", author=ada, judged=FINE, at=NOW - 50 * MINUTE)
    before = write(room.db, "Me too.", author=ada, judged=FINE, parent=parent, at=NOW - 45 * MINUTE)
    held = room.comment(parent=parent, network="net", fingerprint="f")
    twin = write(room.db, "Alike.", author=ada, network="net", fingerprint="f")
    other = room.comment("Another of Bo's.")
    decide(room.comment("Third."), "reject")
    room.report(held, ada)
    shown = review.card(room.db, room.mo, held, NOW)
    assert shown.judgement is not None
    assert [found.code for found in shown.judgement.findings] == ["engine.insult"]
    assert [said.text for said in shown.chain] == ["I have a bakery."]
    assert [said.id for said in shown.around] == [before, held]
    assert [said.id for said in shown.alike.author] == [other]
    assert [said.id for said in shown.alike.network] == [said.id for said in shown.alike.words] == [twin]
    assert (shown.record.author.name, shown.record.author.rejected, shown.record.waiting) == ("Bo Karlsen", 1, 2)
    assert [(report.reason, report.right, report.judged) for report in shown.reports] == [("attack", 0, 0)]


def test_the_card_of_an_edit_shows_what_readers_still_see(room: Newsroom) -> None:
    shown = room.comment("Fine words.", judged=FINE)
    room.edit(shown, "Bad words.")
    card = review.card(room.db, room.mo, shown, NOW)
    assert (card.latest.text, card.public_text) == ("Bad words.", "Fine words.")


# ---- leases -------------------------------------------------------------------------------------------------------


def test_a_card_is_one_moderators_until_its_lease_runs_out(room: Newsroom) -> None:
    held = room.comment()
    first = review.claim(room.db, room.mo, held, NOW)
    with pytest.raises(CardTaken) as refused:
        review.claim(room.db, room.ines, held, NOW + timedelta(seconds=89))
    assert refused.value.extra["by"] == "Mo"
    second = review.claim(room.db, room.ines, held, NOW + timedelta(seconds=90))
    assert second.token != first.token
    with pytest.raises(CardTaken):
        review.renew(room.db, room.mo, held, first.token, NOW + timedelta(seconds=91))


def test_a_visible_card_stays_ones_own(room: Newsroom) -> None:
    held = room.comment()
    grant = review.claim(room.db, room.mo, held, NOW)
    for seconds in range(30, 600, 30):
        grant = review.renew(room.db, room.mo, held, grant.token, NOW + timedelta(seconds=seconds))
    with pytest.raises(CardTaken):
        review.claim(room.db, room.ines, held, NOW + timedelta(seconds=600))


def test_every_grant_has_its_own_token(room: Newsroom) -> None:
    held = room.comment()
    old = review.claim(room.db, room.mo, held, NOW)
    new = review.claim(room.db, room.mo, held, NOW)
    assert old.token != new.token
    with pytest.raises(CardTaken):
        review.renew(room.db, room.mo, held, old.token, NOW)


def test_nobody_decides_a_card_that_another_reads_and_the_reader_does(room: Newsroom, decide) -> None:  # type: ignore[no-untyped-def]
    held = room.comment()
    review.claim(room.db, room.ines, held, NOW)
    with pytest.raises(CardTaken):
        decide(held)
    assert decide(held, who=room.ines).status == "approved"


def test_a_page_that_was_left_open_does_not_decide_a_card_that_was_opened_again(room: Newsroom, decide) -> None:  # type: ignore[no-untyped-def]
    held = room.comment()
    old, new = (review.claim(room.db, room.mo, held, NOW).token for _ in range(2))
    with pytest.raises(CardTaken, match="opened this card again elsewhere"):
        decide(held, token=old)
    assert room.state(held).status == "pending"
    assert decide(held, token=new).status == "approved"


def test_a_token_whose_time_is_over_still_decides_a_card_that_nobody_took(room: Newsroom, decide) -> None:  # type: ignore[no-untyped-def]
    held = room.comment()
    token = review.claim(room.db, room.mo, held, NOW - timedelta(minutes=5)).token
    assert decide(held, token=token).status == "approved"


def test_a_released_card_is_free_and_a_decided_one_has_no_lease(room: Newsroom, decide) -> None:  # type: ignore[no-untyped-def]
    held = room.comment()
    grant = review.claim(room.db, room.mo, held, NOW)
    review.release(room.db, room.mo, held, grant.token)
    review.claim(room.db, room.ines, held, NOW)
    done = decide(held, who=room.ines)
    review.undo(room.db, Decider.at_desk(room.mo), done.decision_id, NOW)
    assert review.claim(room.db, room.mo, held, NOW)


def test_of_twelve_moderators_who_claim_at_once_one_gets_the_card(room: Newsroom) -> None:
    held = room.comment()
    crowd = [Staff(room.mo.id, "", "", {"courier": "moderator"})] + [hired(room, f"m{n}") for n in range(11)]
    start, winners = threading.Barrier(len(crowd)), []

    def race(who: Staff) -> None:
        start.wait(timeout=10)
        try:
            winners.append((who.id, review.claim(room.db, who, held, NOW).token))
        except CardTaken:
            return

    racers = [threading.Thread(target=race, args=(who,)) for who in crowd]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(timeout=60)
    holder = review.card(room.db, room.mo, held, NOW).holder
    assert holder is not None
    assert [winner for winner, _ in winners] == [holder.id]


# ---- many at once -------------------------------------------------------------------------------------------------


@pytest.fixture
def bulk(room: Newsroom, judges: Judges) -> Callable[..., review.Batch]:
    def run(ask: Ask, verdict: str = "approve", who: Staff | None = None, ids: tuple[str, ...] = (), **more: object):  # type: ignore[no-untyped-def]
        reason = "attack" if verdict == "reject" else None
        at = more.pop("at", NOW)
        by = Decider.at_desk(who or room.mo)
        wanted = Selection(replace(ask, until=ask.until or NOW), ids)
        return review.decide_all(room.db, judges, by, wanted, Verdict("", 0, verdict, reason=reason), at)  # type: ignore[arg-type]

    return run


def test_a_preview_counts_samples_and_draws_the_scores(room: Newsroom) -> None:
    for number in range(8):
        room.comment(f"n{number}", judged=judgement(finding("engine.insult"), scores={"insult": number / 10}))
    held = room.comment("held", judged=judgement(finding("engine.insult"), scores={"insult": 0.05}))
    review.claim(room.db, room.ines, held, NOW)
    ask = Ask("courier", attribute="insult", lowest=0.0, highest=0.35, until=NOW)
    shown = review.preview(room.db, room.mo, Selection(ask), NOW)
    assert (shown.count, shown.being_read, len(shown.sample)) == (4, 1, 5)
    assert all(one.score is not None and one.score <= 0.35 for one in shown.sample)
    assert sum(shown.scores) == 9


def test_a_bulk_decides_what_the_preview_saw_and_nothing_newer(
    room: Newsroom, bulk: Callable[..., review.Batch]
) -> None:
    seen, edited, read = room.comment("seen"), room.comment("edited"), room.comment("read")
    room.edit(edited, "edited after the preview", at=NOW + MINUTE)
    newer = room.comment("newer", at=NOW + MINUTE)
    review.claim(room.db, room.ines, read, NOW)
    batch = bulk(Ask("courier"), at=NOW + MINUTE)
    assert (batch.done, batch.left_out) == (1, 2)
    assert [room.state(one).status for one in (seen, edited, read, newer)] == ["approved", *["pending"] * 3]


def test_a_bulk_logs_each_decision_by_itself_and_is_undone_as_one(
    room: Newsroom, bulk: Callable[..., review.Batch], decide: Callable[..., Done]
) -> None:
    ids = [room.comment(f"n{number}") for number in range(5)]
    batch = bulk(Ask("courier"), "reject")
    assert [review.past(room.db, Decider.at_desk(room.mo), one)[-1].batch for one in ids] == [batch.id] * 5
    decide(ids[0], "approve", revision=2)
    back = review.undo_all(room.db, Decider.at_desk(room.ines), batch.id, NOW + MINUTE)
    assert (back.done, back.left_out) == (4, 1)
    assert [room.state(one).status for one in ids] == ["approved", *["pending"] * 4]
    with room.db.read() as session:
        assert session.get_one(Author, room.bo).rejected == 0


def test_a_bulk_of_ticked_cards_touches_those_only(room: Newsroom, bulk: Callable[..., review.Batch]) -> None:
    one, two = room.comment("one"), room.comment("two")
    assert bulk(Ask("courier"), ids=(one,)).done == 1
    assert room.state(two).status == "pending"


def test_two_bulks_over_the_same_cards_decide_each_once(room: Newsroom, bulk: Callable[..., review.Batch]) -> None:
    ids = [room.comment(f"n{number}", article=f"a{number % 3}") for number in range(40)]
    results: list[review.Batch] = []
    crowd = [
        threading.Thread(target=lambda v=verdict, w=who: results.append(bulk(Ask("courier"), v, who=w)))  # type: ignore[misc]
        for verdict, who in (("approve", room.mo), ("reject", room.ines), ("approve", room.ada))
    ]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(timeout=60)
    assert sum(batch.done for batch in results) == 40
    assert {len(review.past(room.db, Decider.at_desk(room.mo), one)) for one in ids} == {2}


def test_a_bulk_over_another_site_finds_nothing(room: Newsroom, bulk: Callable[..., review.Batch]) -> None:
    held = room.comment()
    with pytest.raises(NotFound):
        bulk(Ask("courier"), who=room.eve)
    assert bulk(Ask("canal"), who=room.eve, ids=(held,)).done == 0
    with pytest.raises(NotFound):
        review.preview(room.db, room.eve, Selection(Ask("courier")), NOW)
    with pytest.raises(Forbidden):
        bulk(Ask("courier"), who=room.ann)
    batch = bulk(Ask("courier"))
    with pytest.raises(NotFound):
        review.undo_all(room.db, Decider.at_desk(room.eve), batch.id, NOW)
    assert review.told_batch(room.db, room.eve, batch.id) is None


# ---- authors ------------------------------------------------------------------------------------------------------

STEPS = [
    (Step("mute", "Shouts.", days=3), ("muted", "author.muted")),
    (Step("ban", "Threats."), ("banned", "author.banned")),
    (Step("premoderate", "New account.", days=7), ("premoderated", None)),
    (Step("trust"), ("trusted", "author.trusted")),
    (Step("warn", "Rule 2."), ("normal", None)),
    (Step("note", note="Writes angrily and honestly."), ("normal", None)),
]


@pytest.mark.parametrize(("step", "outcome"), STEPS, ids=lambda value: getattr(value, "verb", ""))
def test_a_step_about_an_author_counts_is_told_and_stays_in_their_history(
    room: Newsroom, step: Step, outcome: tuple[str, str | None]
) -> None:
    review.act(room.db, room.mo, room.bo, step, NOW)
    shown = review.person(room.db, room.mo, room.bo)
    assert standing(shown.record.author, NOW) == outcome[0]
    assert [(note.verb, name) for note, name in shown.record.notes] == [(step.verb, "Mo")]
    with room.db.read() as session:
        told = [event.type for event in session.exec(select(Event))]
    assert told == ([outcome[1]] if outcome[1] else [])


def test_a_mute_and_a_reading_first_end_by_themselves(room: Newsroom) -> None:
    review.act(room.db, room.mo, room.bo, Step("premoderate", "New account.", days=7), NOW)
    review.act(room.db, room.mo, room.bo, Step("mute", "Shouts.", days=3), NOW)
    author_row = review.person(room.db, room.mo, room.bo).record.author
    days = [standing(author_row, NOW + timedelta(days=day)) for day in (2, 4, 8)]
    assert days == ["muted", "premoderated", "normal"]


def test_a_ban_ends_the_ways_back_and_can_be_lifted(room: Newsroom) -> None:
    with room.db.write() as session:
        session.add(Renewal(hash="h", author_id=room.bo, created_at=NOW, expires_at=NOW + timedelta(days=9)))
    review.act(room.db, room.mo, room.bo, Step("ban", "Threats."), NOW)
    with room.db.read() as session:
        assert session.get_one(Renewal, "h").revoked_at == NOW
    review.act(room.db, room.mo, room.bo, Step("unban"), NOW)
    assert standing(review.person(room.db, room.mo, room.bo).record.author, NOW) == "normal"


@pytest.mark.parametrize(
    "step",
    [
        Step("exile"),
        Step("ban"),
        Step("mute", "Shouts."),
        Step("mute", "Shouts.", days=0),
        Step("mute", "Shouts.", days=99_999),
        Step("note"),
        Step("warn", "x" * 3_000),
    ],
    ids=str,
)
def test_a_step_that_is_none_is_refused_and_leaves_nothing(room: Newsroom, step: Step) -> None:
    with pytest.raises(Invalid):
        review.act(room.db, room.mo, room.bo, step, NOW)
    assert review.person(room.db, room.mo, room.bo).record.notes == []


def test_authors_of_another_site_are_not_there(room: Newsroom) -> None:
    for who, wrong in ((room.eve, NotFound), (room.ann, Forbidden)):
        with pytest.raises(wrong):
            review.act(room.db, who, room.bo, Step("ban", "Threats."), NOW)
    with pytest.raises(NotFound):
        review.person(room.db, room.eve, room.bo)


def test_a_person_shows_what_a_ban_would_touch(room: Newsroom) -> None:
    room.comment("waiting"), room.comment("shown", judged=FINE), room.comment("another")
    shown = review.person(room.db, room.mo, room.bo)
    assert (shown.waiting, shown.public, len(shown.comments)) == (2, 1, 3)


def test_each_choice_of_a_filter_leaves_as_many_as_it_says(room: Newsroom) -> None:
    both = judgement(finding("rules.links"), finding("engine.insult", attribute="insult", score=0.81))
    room.comment("insult one")
    room.comment("links and insult", judged=both, author=author(room.db, "Cy", at=NOW - timedelta(days=900)))
    room.comment("links one", judged=judgement(finding("rules.links"), scores={"insult": 0.2}))
    with room.db.write() as session:
        session.get_one(Author, room.bo).rejected = 1
    found = review.facets(room.db, room.mo, Ask("courier"), NOW)
    asked = [(found.codes, lambda one: {"codes": (one,)}), (found.bands, lambda one: {"band": one})]
    asked += [(found.languages, lambda one: {"language": one}), (found.writers, lambda one: {"writer": one})]
    for choices, chosen in asked:
        left = {one: review.count(room.db, room.mo, Ask("courier", **chosen(one)), NOW) for one in choices}
        assert left == choices
    assert (found.total, found.codes, found.writers) == (
        3,
        {"engine.insult": 2, "rules.links": 2},
        {"new": 2, "rejected": 2},
    )
    assert found.attributes == ("insult", "threat")
