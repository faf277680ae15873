"""Staff: who works at the desk, on which sites, with which role, and from which signed-in browsers.

A browser holds a random token; the database holds its hash. A change of password or second step ends the sessions of
the account, and so does the loss of its last role. Roles belong to a site, `admin`, `moderator` or `analyst` (reads
only), and are read at every request. This room knows no Flask and no cookie, and it never learns of comments.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from moderation import judge_name
from service.db import Database
from service.errors import BadCredentials, Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from service.identity import passwords, second_step
from service.identity.passwords import new_password as new_password
from service.models import Moderator, Role, Site, StaffSession

ADMIN, MODERATOR, ANALYST = "admin", "moderator", "analyst"
ROLES = (ADMIN, MODERATOR, ANALYST)
FULL, HALF = "full", "totp"
HALF_LIFE = timedelta(minutes=10)
SEEN_EVERY = timedelta(minutes=1)
LOGIN = re.compile(r"[^\s\x00-\x1f\x7f]{2,120}")


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of staff as the use cases know them: who, and what they may do on which site."""

    id: str
    login: str
    name: str
    roles: Mapping[str, str]

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites they may see, in a stable order."""
        return tuple(sorted(self.roles))

    def may_see(self, site_id: str) -> bool:
        """Whether anything of this site exists for them."""
        return site_id in self.roles

    def require(self, site_id: str, *roles: str) -> None:
        """Raise `NotFound` for a site that is not theirs and `Forbidden` where their role there does not reach."""
        if site_id not in self.roles:
            raise NotFound("There is no such thing here.")
        if self.roles[site_id] not in roles:
            raise Forbidden(f"Your role on this site is {self.roles[site_id]}; this needs {' or '.join(roles)}.")


@dataclass(frozen=True, slots=True)
class Entry:
    """A signed-in browser. With `stage` `totp` the password was right and the second step is still to come."""

    staff: Staff
    hash: str
    csrf: str
    stage: str = FULL
    second_step: bool = False
    preferences: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hours:
    """How long a session lives: without a request, and at all."""

    idle: timedelta
    life: timedelta


# ---- accounts -----------------------------------------------------------------------------------------------------


def add_moderator(db: Database, login: str, name: str, password: str, roles: Mapping[str, str], now: datetime) -> str:
    """Make an account with a role per site and return its id; raises `Conflict` for a login that is taken."""
    login, name = _login(login), _name(name)
    _check_roles(roles.values())
    kept = passwords.hashed(password)
    with db.write() as session:
        if session.exec(select(Moderator.id).where(Moderator.login == login)).first():
            raise Conflict("Somebody has this login already.", pointer="/login")
        skeleton = judge_name(name).skeleton
        row = Moderator(login=login, name=name, skeleton=skeleton, password_hash=kept, created_at=now)
        session.add(row)
        session.flush()
        for site_id, role in roles.items():
            _give_role(session, row.id, site_id, role)
        return row.id


def set_password(db: Database, login: str, password: str) -> None:
    """Change the password of an account and end its sessions."""
    kept = passwords.hashed(password)
    with db.write() as session:
        row = _by_login(session, login)
        row.password_hash = kept
        session.add(row)
        _end_sessions(session, row.id)


def change_password(db: Database, entry: Entry, old: str, new: str) -> None:
    """Change one's own password, knowing the old one; ends every session, this one too."""
    with db.read() as session:
        kept = _account(session, entry.staff.id).password_hash
    if not passwords.matches(kept, old):
        raise BadCredentials("The old password does not match.", pointer="/old")
    changed = passwords.hashed(new)
    with db.write() as session:
        row = _unchanged(session, entry.staff.id, kept)
        row.password_hash = changed
        session.add(row)
        _end_sessions(session, row.id)


def set_role(db: Database, moderator_id: str, site_id: str, role: str | None) -> None:
    """Give, change or (None) take away a role on one site, from their next request on; the last role ends sessions.

    Other sites' staff stay signed in: an administrator here has no power over who works there.
    """
    _check_roles([role] if role else [])
    with db.write() as session:
        _account(session, moderator_id)
        session.execute(delete(Role).where(col(Role.moderator_id) == moderator_id, col(Role.site_id) == site_id))
        if role:
            _give_role(session, moderator_id, site_id, role)
        elif not session.exec(select(Role).where(Role.moderator_id == moderator_id)).first():
            _end_sessions(session, moderator_id)


def set_disabled(db: Database, login: str, disabled: bool, now: datetime) -> None:
    """Close an account, or open it again; ends its sessions."""
    with db.write() as session:
        row = _by_login(session, login)
        row.disabled_at = now if disabled else None
        session.add(row)
        _end_sessions(session, row.id)


def colleagues(db: Database, site_ids: Collection[str]) -> list[Staff]:
    """Everybody with a role on one of these sites, with those roles only, by name."""
    with db.read() as session:
        rows = session.exec(
            select(Moderator, Role)
            .join(Role, col(Role.moderator_id) == col(Moderator.id))
            .where(col(Role.site_id).in_(site_ids), col(Moderator.disabled_at).is_(None))
            .order_by(col(Moderator.name), col(Moderator.id))
        ).all()
    found: dict[str, tuple[Moderator, dict[str, str]]] = {}
    for row, role in rows:
        found.setdefault(row.id, (row, {}))[1][role.site_id] = role.role
    return [Staff(row.id, row.login, row.name, roles) for row, roles in found.values()]


def id_of(db: Database, login: str) -> str:
    """The id of an account by its login; raises `NotFound`."""
    with db.read() as session:
        return _by_login(session, login).id


def set_preferences(db: Database, moderator_id: str, changes: Mapping[str, object]) -> None:
    """Merge changes into what somebody chose for themselves: keys, saved views. A None removes."""
    with db.write() as session:
        row = _account(session, moderator_id)
        merged = {**row.preferences, **changes}
        row.preferences = {key: value for key, value in merged.items() if value is not None}
        session.add(row)


# ---- signing in ---------------------------------------------------------------------------------------------------


def sign_in(db: Database, login: str, password: str, agent: str, hours: Hours, now: datetime) -> tuple[str, Entry]:
    """A new session's token and entry; `BadCredentials`, in the same time, whether or not the login exists."""
    with db.read() as session:
        row = session.exec(select(Moderator).where(Moderator.login == login.strip().lower())).first()
    usable = row is not None and row.disabled_at is None
    right = passwords.matches(row.password_hash if row is not None and usable else None, password)
    if row is None or not right:
        raise BadCredentials("That did not match. Check the login and the password.")
    fresh = passwords.hashed(password) if passwords.is_outdated(row.password_hash) else None
    with db.write() as session:
        row = _unchanged(session, row.id, row.password_hash)
        row.password_hash = fresh or row.password_hash
        session.add(row)
        stage = HALF if row.totp_secret else FULL
        return _open_session(session, row, stage, agent, hours, now)


def finish(db: Database, entry: Entry, code: str, agent: str, hours: Hours, now: datetime) -> tuple[str, Entry]:
    """Take the second step with a six-digit code or a recovery code: the half session ends, a full one begins."""
    with db.write() as session:
        row = session.get(Moderator, entry.staff.id, with_for_update=True)
        half = session.get(StaffSession, entry.hash, with_for_update=True)
        usable = row is not None and row.disabled_at is None and half is not None and half.stage == HALF
        if row is None or not usable or not second_step.passes(row, code, now):
            raise BadCredentials("That code does not match.", pointer="/code")
        session.add(row)
        _end_session(session, entry.hash)
        return _open_session(session, row, FULL, agent, hours, now)


def entry_of(db: Database, token: str, hours: Hours, now: datetime) -> Entry:
    """The entry that a browser's token opens; `Unauthenticated` when it is unknown, idle for too long or over."""
    key = _hash(token)
    with db.read() as session:
        kept = session.get(StaffSession, key)
        row = session.get(Moderator, kept.moderator_id) if kept else None
        if kept is None or row is None or row.disabled_at or _is_over(kept, hours, now):
            raise Unauthenticated("You are not signed in, or were away for too long.")
        entry = _entry(session, row, kept)
    if now - kept.last_seen_at >= SEEN_EVERY:
        with db.write() as session:
            session.execute(update(StaffSession).where(col(StaffSession.hash) == key).values(last_seen_at=now))
    return entry


def sign_out(db: Database, entry: Entry) -> None:
    """End this browser's session."""
    with db.write() as session:
        _end_session(session, entry.hash)


def sign_out_others(db: Database, entry: Entry) -> None:
    """End every other session of the account."""
    with db.write() as session:
        _end_sessions(session, entry.staff.id, but=entry.hash)


def sessions(db: Database, moderator_id: str, hours: Hours, now: datetime) -> list[StaffSession]:
    """The live sessions of an account, the latest used first."""
    with db.read() as session:
        rows = session.exec(
            select(StaffSession)
            .where(StaffSession.moderator_id == moderator_id)
            .order_by(col(StaffSession.last_seen_at).desc())
        ).all()
    return [row for row in rows if not _is_over(row, hours, now)]


def end_session(db: Database, moderator_id: str, hash_: str) -> None:
    """End one session of one's own by its hash; nothing happens for anybody else's."""
    with db.write() as session:
        session.execute(
            delete(StaffSession).where(col(StaffSession.hash) == hash_, col(StaffSession.moderator_id) == moderator_id)
        )


# ---- the second step ----------------------------------------------------------------------------------------------


def enable_second_step(db: Database, entry: Entry, secret: str, code: str, now: datetime) -> list[str]:
    """Ask for a code at every sign-in from now on; returns the recovery codes, shown once. Ends other sessions."""
    with db.write() as session:
        row = _account(session, entry.staff.id)
        codes = second_step.enable(row, secret, code, now)
        session.add(row)
        _end_sessions(session, row.id, but=entry.hash)
        return codes


def disable_second_step(db: Database, entry: Entry, password: str) -> None:
    """Ask for the password only, from now on; needs it once more."""
    with db.read() as session:
        kept = _account(session, entry.staff.id).password_hash
    if not passwords.matches(kept, password):
        raise BadCredentials("The password does not match.", pointer="/password")
    with db.write() as session:
        row = _unchanged(session, entry.staff.id, kept)
        row.totp_secret, row.recovery_hashes = None, []
        session.add(row)
        _end_sessions(session, row.id, but=entry.hash)


def forget_second_step(db: Database, login: str) -> None:
    """Take the second step away from an account whose owner lost both phone and codes; ends its sessions."""
    with db.write() as session:
        row = _by_login(session, login)
        row.totp_secret, row.recovery_hashes = None, []
        session.add(row)
        _end_sessions(session, row.id)


# ---- parts --------------------------------------------------------------------------------------------------------


def _login(raw: str) -> str:
    login = raw.strip().lower()
    if not LOGIN.fullmatch(login):
        raise Invalid("A login has 2 to 120 signs and no spaces.", pointer="/login")
    return login


def _name(raw: str) -> str:
    name = " ".join(raw.split())
    if not name or len(name) > 50 or not name.isprintable():
        raise Invalid("A name has 1 to 50 signs.", pointer="/name")
    return name


def _check_roles(roles: Collection[str]) -> None:
    for role in roles:
        if role not in ROLES:
            raise Invalid(f"There is no role {role!r}; there are {', '.join(ROLES)}.", pointer="/role")


def _give_role(session: Session, moderator_id: str, site_id: str, role: str) -> None:
    if session.get(Site, site_id) is None:
        raise NotFound(f"There is no site {site_id!r}.")
    session.add(Role(moderator_id=moderator_id, site_id=site_id, role=role))


def _account(session: Session, moderator_id: str) -> Moderator:
    row = session.get(Moderator, moderator_id)
    if row is None:
        raise NotFound("There is no such moderator.")
    return row


def _unchanged(session: Session, moderator_id: str, kept: str) -> Moderator:
    """An open account, locked, whose password is still the one that was tried: slow hashes leave time to change it."""
    row = session.get(Moderator, moderator_id, with_for_update={"key_share": True}, populate_existing=True)
    if row is None or row.disabled_at is not None or row.password_hash != kept:
        raise BadCredentials("That did not match. Check the login and the password.")
    return row


def _by_login(session: Session, login: str) -> Moderator:
    row = session.exec(select(Moderator).where(Moderator.login == login.strip().lower())).first()
    if row is None:
        raise NotFound("There is no moderator with this login.")
    return row


def _open_session(
    session: Session, row: Moderator, stage: str, agent: str, hours: Hours, now: datetime
) -> tuple[str, Entry]:
    token = secrets.token_urlsafe(32)
    kept = StaffSession(
        hash=_hash(token),
        moderator_id=row.id,
        csrf=secrets.token_urlsafe(24),
        stage=stage,
        agent=agent[:200],
        created_at=now,
        last_seen_at=now,
        expires_at=now + (hours.life if stage == FULL else HALF_LIFE),
    )
    session.execute(delete(StaffSession).where(col(StaffSession.expires_at) <= now))
    session.add(kept)
    session.flush()
    return token, _entry(session, row, kept)


def _entry(session: Session, row: Moderator, kept: StaffSession) -> Entry:
    roles = session.exec(select(Role).where(Role.moderator_id == row.id)).all()
    who = Staff(row.id, row.login, row.name, {role.site_id: role.role for role in roles})
    return Entry(who, kept.hash, kept.csrf, kept.stage, row.totp_secret is not None, row.preferences)


def _is_over(kept: StaffSession, hours: Hours, now: datetime) -> bool:
    return now >= kept.expires_at or now - kept.last_seen_at >= hours.idle


def _end_session(session: Session, hash_: str) -> None:
    session.execute(delete(StaffSession).where(col(StaffSession.hash) == hash_))


def _end_sessions(session: Session, moderator_id: str, but: str = "") -> None:
    session.execute(
        delete(StaffSession).where(col(StaffSession.moderator_id) == moderator_id, col(StaffSession.hash) != but)
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
