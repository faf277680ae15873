"""create_app(settings): wiring, nothing else. Never migrates, never reads the environment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from flask import Flask
from jinja2 import StrictUndefined
from werkzeug.routing import BaseConverter

from config.settings import Settings
from service import logs
from service.cli.commands import COMMANDS
from service.db import Database
from service.doorman import Doorman, Line, Scope
from service.front import Front
from service.judges import Judges, open_judges
from service.web import (
    api,
    articles,
    auth,
    demo,
    desk,
    embed,
    host,
    moderation,
    observe,
    perspective,
    problems,
    throttle,
)
from service.web.blueprint import OPENAPI, Api, public
from service.web.context import Parts, utc_now
from service.web.desk import guard as desk_guard
from service.web.strict_fields import ID_PATTERN


class IdConverter(BaseConverter):
    """Our ids in a path; anything else is simply not there."""

    regex = "[0-9a-f]{24}"


class Service(Flask):
    """A WSGI application that granian serves by way of the doorman."""

    doorman: Doorman

    async def __rsgi__(self, scope: Scope, line: Line) -> None:
        """One request over granian's own interface."""
        await self.doorman(scope, line)


def create_app(settings: Settings, *, clock: Callable[[], datetime] = utc_now, judges: Judges | None = None) -> Service:
    """The service for one installation, wired from its settings."""
    logs.configure(settings.log_level)
    app = Service("service.web", static_folder=None)
    app.jinja_options = {"undefined": StrictUndefined}
    app.config.update(
        OPENAPI, MAX_CONTENT_LENGTH=settings.body_limit, MAX_FORM_MEMORY_SIZE=settings.body_limit, MAX_FORM_PARTS=200
    )
    app.url_map.converters["id"] = IdConverter
    app.url_map.strict_slashes = True
    database = Database(settings.database_url, pool_size=settings.web_threads + 2)
    metrics = observe.Metrics()
    app.extensions["firstword"] = Parts(
        settings=settings,
        database=database,
        judges=judges or open_judges(settings),
        throttle=throttle.Throttle(settings, metrics.limits_degraded),
        clock=clock,
        metrics=metrics,
    )
    _register(app, settings)
    app.wsgi_app = Front(app.wsgi_app, database, metrics.requests)  # type: ignore[method-assign]
    wider = perspective.WIDER | desk_guard.WIDER
    app.doorman = Doorman(app, settings.web_threads, settings.body_limit, wider, metrics.requests)
    return app


def _register(app: Flask, settings: Settings) -> None:
    observe.register(app)
    app.after_request(auth.add_cors)
    app.after_request(throttle.add_headers)
    smorest = Api(app)
    smorest.register_converter(IdConverter, lambda _: {"type": "string", "pattern": ID_PATTERN})
    for blueprint in (api.bp, articles.bp, host.bp, moderation.bp):
        smorest.register_blueprint(blueprint)
    documented = app.view_functions["api-docs.openapi_json"]
    app.view_functions["api-docs.openapi_json"] = public("It documents the API.")(partial(documented))
    problems.register(app)  # after flask-smorest, whose own error shape this replaces
    app.register_blueprint(embed.bp)
    app.register_blueprint(desk.bp)
    perspective.register(app)
    for command in COMMANDS:
        app.cli.add_command(command)
    if settings.demo:
        app.register_blueprint(demo.bp)
