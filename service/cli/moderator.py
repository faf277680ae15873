"""`flask moderator`: who works at the desk."""

from __future__ import annotations

import click

from service.cli.opening import now, opened
from service.identity import staff


@click.group()
def moderator() -> None:
    """Members of staff: accounts, passwords, roles."""


@moderator.command()
@click.argument("login")
@click.option("--name", required=True, help="What colleagues see in the history.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    metavar="SITE=ROLE",
    help=f"A role on a site ({', '.join(staff.ROLES)}); may be given more than once.",
)
def add(login: str, name: str, roles: tuple[str, ...]) -> None:
    """Make an account and print its password, once."""
    made = staff.new_password()
    with opened() as database:
        staff.add_moderator(database, login, name, made, dict(_pair(role) for role in roles), now())
    click.echo(f"login {login}   password {made}")


@moderator.command()
@click.argument("login")
def password(login: str) -> None:
    """Give an account a new password, print it once, and end its sessions."""
    made = staff.new_password()
    with opened() as database:
        staff.set_password(database, login, made)
    click.echo(f"login {login}   password {made}")


@moderator.command()
@click.argument("login")
@click.argument("site")
@click.argument("role", type=click.Choice((*staff.ROLES, "none")))
def role(login: str, site: str, role: str) -> None:
    """Give, change or take away a role on a site; the account's last role ends its sessions."""
    with opened() as database:
        staff.set_role(database, staff.id_of(database, login), site, None if role == "none" else role)
    click.echo(f"{login} has {'no role' if role == 'none' else f'the role {role}'} on {site} now.")


@moderator.command()
@click.argument("login")
def close(login: str) -> None:
    """Close an account; ends its sessions. What it decided stays in the history."""
    with opened() as database:
        staff.set_disabled(database, login, True, now())
    click.echo(f"{login} cannot sign in any more.")


@moderator.command("open")
@click.argument("login")
def open_(login: str) -> None:
    """Open a closed account again."""
    with opened() as database:
        staff.set_disabled(database, login, False, now())
    click.echo(f"{login} can sign in again.")


@moderator.command("no-second-step")
@click.argument("login")
def no_second_step(login: str) -> None:
    """Take away the second step of somebody who lost their phone and their recovery codes; ends their sessions."""
    with opened() as database:
        staff.forget_second_step(database, login)
    click.echo(f"{login} signs in with the password alone, until they switch the second step on again.")


def _pair(text: str) -> tuple[str, str]:
    site, equals, role = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r}: write SITE=ROLE, as in courier=moderator", param_hint="--role")
    return site, role
