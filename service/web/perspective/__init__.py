"""The Perspective-compatible endpoints: `comments:analyze`, `comments:suggestscore`, discovery and batch.

This room speaks another service's protocol to clients that cannot be changed, so it has its own errors, in Google's
shape and with Google's words, and its own lenient reading of JSON. It never redirects. It reads no cookie.
docs/perspective.md is its contract.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flask import Blueprint, Flask, Response, current_app, g, json, request
from prometheus_client import CollectorRegistry, Counter
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from service.errors import Unavailable
from service.identity.scoring_keys import SCOPE
from service.scoring import Scorer
from service.web.blueprint import public
from service.web.context import client_origin
from service.web.perspective import batch, discovery, keys, refusals
from service.web.perspective.calls import SUGGEST, Answer, Call, Desk, refused, target
from service.web.perspective.load import Load
from service.web.perspective.refusals import Refusal
from service.web.problems import from_mistake

if TYPE_CHECKING:
    from service.web.context import Parts

CALL_BYTES = 8 * 1024 * 1024
BATCH_BYTES = 64 * 1024 * 1024
WIDER = {"/v1alpha1/": CALL_BYTES, "/batch": BATCH_BYTES}
ANY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE"]
THREADS_A_BATCH = 4
# Why a text may go unscored; all are shown from the start, so that an alarm sees the first one.
REASONS = ("language", "invalid", "key", "quota", "overload", "failed")

bp = Blueprint("perspective", __name__)


@dataclass(frozen=True, slots=True)
class Perspective:
    """What this room needs beside the parts of the service, one a process."""

    desk: Desk
    load: Load
    batches: BoundedSemaphore
    calls: Counter
    unscored: Counter


def register(app: Flask) -> None:
    """Add the endpoints to an application whose parts are wired."""
    wired: Parts = app.extensions["firstword"]
    registry: CollectorRegistry = wired.metrics.registry
    unscored = Counter(
        "firstword_perspective_unscored_total",
        "Texts that a client wanted scored and got no score for; a client that fails open published them",
        ["reason"],
        registry=registry,
    )
    for reason in REASONS:
        unscored.labels(reason)
    app.extensions["perspective"] = Perspective(
        desk=_desk(wired),
        load=Load(wired.settings.web_threads),
        batches=BoundedSemaphore(max(1, wired.settings.web_threads // THREADS_A_BATCH)),
        calls=Counter("firstword_perspective_calls_total", "Calls by outcome", ["outcome"], registry=registry),
        unscored=unscored,
    )
    app.register_blueprint(bp)


def _desk(wired: Parts) -> Desk:
    def spend(consumer: keys.Consumer) -> int:
        return wired.throttle.spend("perspective", consumer.terms.per_minute, consumer.key_id)

    scorer = Scorer(lambda: wired.judges.engines, wired.settings.engine_calls)
    known = keys.Keys(wired.database, wired.clock)
    return Desk(wired.database, known, scorer, spend, wired.clock, lambda: wired.judges.problems)


def _mine() -> Perspective:
    return cast("Perspective", current_app.extensions["perspective"])


View = TypeVar("View", bound=Callable[..., Response])


def keyed(view: View) -> View:
    """Mark a route as asking for an API key with the scope `perspective`, wherever in the call it stands."""
    view.authenticator = ("host", SCOPE)  # type: ignore[attr-defined]
    return view


# ---- routes ----------------------------------------------------------------------------------------------------------


@bp.post("/v1alpha1/comments:analyze", merge_slashes=False)
@bp.post("/v1alpha1/comments:suggestscore", endpoint="suggestscore", merge_slashes=False)
@keyed
def call() -> Response:
    """One call."""
    mine = _mine()
    asked = Call("POST", request.path, _query(), _headers(), b"")
    if mine.load.is_too_high:
        return _single(mine.desk.shed(asked))
    asked = Call("POST", request.path, asked.query, asked.headers, _body(CALL_BYTES))
    return _single(mine.desk.answer(asked))


@bp.post("/batch", merge_slashes=False)
@keyed
def many() -> Response:
    """A batch of calls: each answered as if it had come alone. Only some threads work on batches at a time."""
    mine = _mine()
    if mine.load.is_too_high or not mine.batches.acquire(blocking=False):
        return _single(mine.desk.shed(Call("POST", request.path, _query(), _headers(), b"")))
    try:
        return _answered(batch.read(request.headers.get("Content-Type", ""), _body(_longest_batch())))
    finally:
        mine.batches.release()


def _answered(parts_of_it: Sequence[batch.Part]) -> Response:
    outer = _headers()
    calls = [_part(part, outer) for part in parts_of_it]
    answers = _mine().desk.answer_all(calls)
    content_type, body = batch.write(
        batch.Answered(part.content_id, answer.status, _heads(answer), answer.json())
        for part, answer in zip(parts_of_it, answers, strict=True)
    )
    for asked, answer in zip(calls, answers, strict=True):
        _count(answer, asked.path)
    return Response(body, content_type=content_type)


@bp.get("/$discovery/rest", merge_slashes=False)
@public("What the API looks like is no secret; a key that is sent must hold, as it must at Google.")
def describe() -> Response:
    """The description that Google's clients build themselves from, with the address they reached us under."""
    key = keys.shown(_query(), _headers())
    if key:
        _mine().desk.keys.consumer(key)
    document = discovery.document(f"{client_origin()}/")
    return Response(json.dumps(document), content_type="application/json; charset=UTF-8")


@bp.route("/v1alpha1/", defaults={"rest": ""}, methods=ANY_METHOD, strict_slashes=False, merge_slashes=False)
@bp.route("/v1alpha1/<path:rest>", methods=ANY_METHOD, merge_slashes=False)
@bp.route("/batch", defaults={"rest": ""}, methods=["GET", "PUT", "PATCH", "DELETE"], endpoint="no_batch")
@bp.route("/$discovery/<path:rest>", methods=ANY_METHOD, endpoint="no_discovery", merge_slashes=False)
@public("There is nothing here.")
def nothing(rest: str) -> Response:
    """Whatever else is asked for under these paths is refused in the protocol's own words."""
    raise refusals.not_found()


# ---- what was sent ---------------------------------------------------------------------------------------------------


def _query() -> dict[str, str]:
    return request.args.to_dict(flat=True)


def _headers() -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _body(most: int) -> bytes:
    if request.headers.get("Content-Encoding", "identity") not in ("", "identity"):
        raise refusals.malformed("A compressed body is not accepted; send it plain.")
    request.max_content_length = most
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise refusals.too_large() from None


def _longest_batch() -> int:
    """Long ones are read only for those whose key is on the outside, where it is seen before anything is read."""
    key = keys.shown(_query(), _headers())
    try:
        if key and _mine().desk.keys.consumer(key):
            return BATCH_BYTES
    except Refusal:
        pass  # its parts may have keys that hold
    return CALL_BYTES


def _part(part: batch.Part, outer: dict[str, str]) -> Call:
    """The call in a part; the batch's own key counts where the part has none."""
    sent = target(part.method, part.target, part.headers or {}, part.body)
    if keys.shown(sent.query, sent.headers):
        return sent
    key = keys.shown(_query(), outer)
    return Call(sent.method, sent.path, {**sent.query, "key": key}, sent.headers, sent.body)


# ---- what is answered ------------------------------------------------------------------------------------------------


def _single(answer: Answer) -> Response:
    _count(answer, request.path)
    response = Response(answer.json(), status=answer.status)
    response.headers.update(_heads(answer))
    return response


def _heads(answer: Answer) -> dict[str, str]:
    return {"Content-Type": "application/json; charset=UTF-8", **answer.headers}


def _count(answer: Answer, path: str) -> None:
    """Count an answer; where a score was wanted and none given, by its reason. Labels and descriptions want none."""
    mine = _mine()
    mine.calls.labels(answer.outcome).inc()
    wants_score = path != SUGGEST and not path.startswith("/$discovery/")
    if wants_score and answer.outcome != "scored":
        mine.unscored.labels(answer.outcome).inc()


@bp.errorhandler(Refusal)
def refuse(refusal: Refusal) -> Response:
    """A refusal, as Google words it."""
    return _single(refused(refusal))


@bp.errorhandler(Unavailable)
def unavailable(_: Unavailable) -> Response:
    """The database does not answer."""
    return _single(refused(refusals.unavailable()))


@bp.errorhandler(HTTPException)
def refuse_http(error: HTTPException) -> Response:
    """What Flask refuses by itself, in this protocol's shape."""
    status = error.code or HTTPStatus.BAD_REQUEST
    if status == HTTPStatus.NOT_FOUND:
        return _single(refused(refusals.not_found()))
    return _single(refused(refusals.malformed(HTTPStatus(status).phrase)))


@bp.errorhandler(Exception)
def apologise(error: Exception) -> Response:
    """A mistake of ours: logged as every other one, told in this protocol's shape."""
    from_mistake(error)
    return _single(refused(refusals.internal()))


@bp.after_request
def open_to_every_page(answer: Response) -> Response:
    """Pages may call from a browser, as they could; a key is all that counts, and no credential of a browser does."""
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Access-Control-Expose-Headers"] = "Retry-After, Firstword-Language-Fallback"
    answer.headers["Cache-Control"] = "private, no-store"
    if request.method == "OPTIONS":
        answer.headers["Access-Control-Allow-Methods"] = "GET, POST"
        answer.headers["Access-Control-Allow-Headers"] = "*, Authorization"
        answer.headers["Access-Control-Max-Age"] = "7200"
    return answer


# ---- how busy the process is -----------------------------------------------------------------------------------------


@bp.before_app_request
def enter() -> None:
    """Every request of the process takes a thread, whatever it is about."""
    g.takes_a_thread = True
    _mine().load.enter()


@bp.teardown_app_request
def leave(_: BaseException | None) -> Any:
    """And gives it back."""
    if g.pop("takes_a_thread", False):
        _mine().load.leave()
