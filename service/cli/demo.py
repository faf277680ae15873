"""`demo up`: what `make run` starts. Migrates, makes a demo site once, starts web and worker, stops them cleanly."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from config.settings import Settings, demo_environment, load
from service import migrations, sites
from service.cli.opening import now
from service.cli.processes import Processes
from service.db import Database
from service.identity import api_keys, host_keys, scoring_keys, staff
from service.identity.passwords import new_password
from service.identity.scoring_keys import Terms
from service.webhooks import endpoints
from service.webhooks.sending import open_door

SITE, ARTICLE, TITLE = "eastmere", "bridge-2026", "The bridge that took eleven years"
PROMPT = "What is your opinion on this topic?"
SCOPES = ["articles", "moderate", "events", "webhooks"]


@click.group()
def demo() -> None:
    """A demo on embedded defaults."""


@demo.command()
def up() -> None:
    """Start everything with a demo article, print where to look, and stop it all on Ctrl-C."""
    environment = demo_environment()
    folder = Path(environment["DATA_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    if "SIGNING_KEYS_FILE" in environment:
        make_signing_key(Path(environment["SIGNING_KEYS_FILE"]))
    settings = load(environment)
    refuse_taken_port(settings)
    fetch_engine(settings, environment)
    migrations.upgrade(settings.database_url)
    facts = make_demo(settings)
    with Processes(settings, environment) as processes:
        processes.start()
        if not processes.stopping:
            tell(facts)
        processes.wait()


def make_signing_key(path: Path) -> None:
    """A signing key of the installation's own, mode 600, made once."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(secrets.token_hex(32) + "\n")


def refuse_taken_port(settings: Settings) -> None:
    """Say so plainly when something else listens already."""
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex((settings.host, settings.port)) == 0:
            raise click.ClickException(
                f"Port {settings.port} is taken. Choose another: make run PORT={settings.port + 1}"
            )


def fetch_engine(settings: Settings, environment: dict[str, str]) -> None:
    """Have a published model here before anything waits for it, with its progress to be seen.

    Where it cannot be had, `engine open` has said what to do, and a demo that holds every comment would show nothing.
    """
    if settings.engine.startswith("detoxify:"):
        command = [sys.executable, "-m", "service.cli", "engine", "open"]
        if subprocess.run(command, env=environment, check=False).returncode:  # noqa: S603 - our own command
            raise click.ClickException(f"The demo does not start without its engine, {settings.engine}.")


# ---- the demo site ------------------------------------------------------------------------------------------------


def make_demo(settings: Settings) -> dict[str, Any]:
    """The demo's facts: made once and kept in demo.json (mode 600), brought up to date when the address has changed."""
    path = settings.data_dir / "demo.json"
    database = Database(settings.database_url, pool_size=2)
    try:
        facts = json.loads(path.read_text(encoding="utf-8")) if path.exists() else new_demo(database, settings)
        facts.update(addresses(settings))
        sites.set_origins(database, SITE, origins(settings))
        change = sites.ArticleChange(url=facts["article_url"], title=TITLE, section="Transport", prompt=PROMPT)
        if (sites.article_card(database, SITE, ARTICLE) or {}).get("url") != facts["article_url"]:
            sites.register_article(database, SITE, ARTICLE, change, actor="system", now=now())
        door = open_door(settings)
        endpoints.change(database, SITE, facts["endpoint"], {"url": receiver(settings)}, door, now=now())
    finally:
        database.close()
    write_private(path, json.dumps(facts, indent=2) + "\n")
    return dict(facts)


def new_demo(database: Database, settings: Settings) -> dict[str, Any]:
    """A site, a moderator with a random password, an API key, a signing key for the host, an endpoint."""
    sites.add_site(database, SITE, "The Eastmere Courier", origins(settings), now=now())
    login, password = "mo@eastmere.example", new_password()
    staff.add_moderator(database, login, "Mo", password, {SITE: "admin"}, now())
    with database.write() as session:
        _, key = api_keys.create(session, SITE, "Demo host", SCOPES, now=now())
        _, scoring = scoring_keys.create(session, SITE, "Demo of the Perspective protocol", Terms(), now=now())
        offer = host_keys.Offer(kid="demo", issuer="https://eastmere.example")
        host_secret = host_keys.add(session, SITE, offer, now=now()).secret
    wish = endpoints.Wish(receiver(settings), "The demo page's receiver")
    endpoint, secret = endpoints.register(database, SITE, wish, open_door(settings), now=now())
    return {
        "site": SITE,
        "article": ARTICLE,
        "moderator": {"login": login, "password": password},
        "api_key": key,
        "perspective_key": scoring,
        "host_secret": host_secret,
        "endpoint": endpoint.id,
        "webhook_secret": secret,
    }


def addresses(settings: Settings) -> dict[str, str]:
    """Where to look, from the public address of this run."""
    base = settings.public_url
    return {"base_url": base, "article_url": f"{base}/demo/article", "desk_url": f"{base}/desk/"}


def origins(settings: Settings) -> list[str]:
    """The demo pages' origins: the public one and both spellings of this machine."""
    return [settings.public_url, f"http://localhost:{settings.port}", f"http://127.0.0.1:{settings.port}"]


def receiver(settings: Settings) -> str:
    """The demo's receiver of webhooks, on this machine."""
    return f"http://127.0.0.1:{settings.port}/demo/receiver"


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def tell(facts: dict[str, Any]) -> None:
    """Print where to look and with what, once."""
    moderator = facts["moderator"]
    click.echo(
        f"""
Firstword is running.

  Article    {facts["article_url"]}
  Desk       {facts["desk_url"]}
             login {moderator["login"]}   password {moderator["password"]}
  API key    {facts["api_key"]}
  Scores     {facts["base_url"]}/v1alpha1/comments:analyze?key={facts["perspective_key"]}
  OpenAPI    {facts["base_url"]}/api/v1/openapi.json

All of this is kept in demo.json beside the data, readable by you alone. Ctrl-C stops everything.
"""
    )
