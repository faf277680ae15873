"""Our blueprint: flask-smorest's, with the strict JSON reader, documented problems, and a declared authenticator.

Every route says who may ask: `public` (and why), `reader`, `host`; the last two are asked before the body is read.
`tests/test_house.py` demands it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from threading import RLock
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import flask_smorest

from service.web import auth
from service.web.schemas import ProblemOut
from service.web.strict_json import StrictParser

if TYPE_CHECKING:
    from apispec import APISpec
    from flask import Flask

OPENAPI = {
    "API_TITLE": "Firstword",
    "API_VERSION": "v1",
    "OPENAPI_VERSION": "3.0.3",
    "OPENAPI_URL_PREFIX": "/api/v1",
    "OPENAPI_JSON_PATH": "openapi.json",
    "API_SPEC_OPTIONS": {
        "info": {"description": "Comments for news sites. Errors are RFC 9457 problems."},
        "components": {
            "securitySchemes": {
                "commenter": {"type": "http", "scheme": "bearer", "description": "A token from POST /api/v1/tokens"},
                "api_key": {"type": "http", "scheme": "bearer", "description": "A host's API key (fwk_…)"},
            }
        },
    },
}

View = TypeVar("View", bound=Callable[..., Any])


class Decorator(Protocol):
    """Marks a view and gives it back."""

    def __call__(self, view: View, /) -> View:
        """The same view, marked."""


def public(why: str) -> Decorator:
    """Mark a plain Flask view as open to everybody, with the reason."""

    def mark(view: View) -> View:
        view.authenticator = ("public", why)  # type: ignore[attr-defined]
        return view

    return mark


class Api(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest's document of the API, without a `default` answer: what is not documented is a mistake.

    Blueprints are described when somebody first reads the document, and not at every start, of which it took most.
    """

    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask) -> None:
        self._undescribed: list[Blueprint] = []
        self._describing = RLock()
        super().__init__(app)

    def register_blueprint(self, blueprint: Blueprint) -> None:
        """Take in a blueprint's routes."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blueprint.name] = self
        self._app.register_blueprint(blueprint)
        self._undescribed.append(blueprint)

    @property
    def spec(self) -> APISpec:
        """The document, in which every blueprint stands."""
        with self._describing:
            while self._undescribed:
                blueprint = self._undescribed.pop(0)
                blueprint.register_views_in_doc(self, self._app, self._spec, name=blueprint.name, parameters=None)
                self._spec.tag({"name": blueprint.name, "description": blueprint.description})
        return self._spec

    @spec.setter
    def spec(self, begun: APISpec) -> None:
        self._spec = begun


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """A group of routes that says who may ask and which problems it answers with."""

    ARGUMENTS_PARSER = StrictParser()

    if TYPE_CHECKING:  # flask-smorest has no types; what we use of it has these

        def route(self, rule: str, **options: Any) -> Decorator: ...
        def arguments(self, schema: Any, *, location: str = "json", **options: Any) -> Decorator: ...
        def response(self, status: int, schema: Any = None, **options: Any) -> Decorator: ...
        def alt_response(self, status: int, **options: Any) -> Decorator: ...
        def doc(self, **keys: Any) -> Decorator: ...

    def public(self, why: str) -> Decorator:
        """Mark a route as open to everybody, with the reason."""
        return public(why)

    def reader(self, view: View) -> View:
        """Ask for a commenter token before anything of the request is read."""
        return self._asking(view, auth.reader, ("reader", "a commenter token"), "commenter")

    def host(self, scope: str) -> Decorator:
        """Ask for an API key with a scope before anything of the request is read; the view checks the site."""

        def mark(view: View) -> View:
            return self._asking(view, partial(auth.host, scope), ("host", scope), "api_key")

        return mark

    def _asking(self, view: View, ask: Callable[[], object], who: tuple[str, str], scheme: str) -> View:
        @wraps(view)
        def asked(*args: Any, **kwargs: Any) -> Any:
            ask()
            return view(*args, **kwargs)

        asked.authenticator = who  # type: ignore[attr-defined]
        return self.doc(security=[{scheme: []}])(cast("View", asked))

    def problems(self, *statuses: int) -> Decorator:
        """Document the problems that a route answers with."""

        def document(view: View) -> View:
            everywhere = {503}  # every route reads the database
            for status in sorted({*statuses, *everywhere, *((408, 413, 415) if 400 in statuses else ())}):
                view = self.alt_response(
                    status, schema=ProblemOut, content_type="application/problem+json", success=False
                )(view)
            return view

        return document
