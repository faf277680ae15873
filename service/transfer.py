"""A whole site as JSON lines, out and in again: to move it, to keep it, to look at it with one's own tools.

The first line says what the file is, the last one how many rows it has, so that half a file is noticed. Left out is
what is a credential, what lasts for minutes, and what is made from the rest (rendered text). Nothing is half-written:
an import is one transaction.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

from sqlalchemy import JSON, ColumnElement, Table, insert, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel

from moderation import PolicyError
from service import markup, models
from service.db import Database, UtcTime
from service.errors import Conflict, Invalid, NotFound

FORMAT: Final = 1
BATCH: Final = 500
KIND: Final = "firstword-site"

LARGEST: Final = 2**31 - 1
HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")  # an escape that may be half of a surrogate pair, or of a whole one
NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # as JSON writes one, and not what somebody typed

Tables = dict[str, Table]
TryPolicy = Callable[[str], object]
Mine = Callable[[Tables, str], ColumnElement[bool]]


def _is_table(thing: object) -> bool:
    return isinstance(thing, type) and issubclass(thing, SQLModel) and thing is not SQLModel


def _by_site(name: str) -> Mine:
    return lambda tables, site_id: tables[name].c.site_id == site_id


def _by_owner(name: str, column: str, owner: str) -> Mine:
    """Rows that belong to a site through another table's rows."""

    def mine(tables: Tables, site_id: str) -> ColumnElement[bool]:
        owners = select(tables[owner].c.id).where(tables[owner].c.site_id == site_id)
        return tables[name].c[column].in_(owners)

    return mine


def _decided_by(tables: Tables, site_id: str) -> ColumnElement[bool]:
    decision = tables["decision"]
    return tables["policy_text"].c.digest.in_(select(decision.c.policy_digest).where(decision.c.site_id == site_id))


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one table that belong to a site, and the order in which they can be put back."""

    name: str
    mine: Mine
    order: tuple[str, ...] = ("id",)


PARTS: Final = (
    Part("site", lambda tables, site_id: tables["site"].c.id == site_id),
    Part("site_counter", _by_site("site_counter"), ("site_id",)),
    Part("policy_text", _decided_by, ("digest",)),
    Part("article", _by_site("article")),
    Part("author", _by_site("author")),
    Part("author_note", _by_site("author_note")),
    Part("comment", _by_site("comment"), ("depth", "id")),
    Part(
        "comment_version", _by_site("comment_version"), ("created_at", "id")
    ),  # a search takes the last for the newest
    Part("decision", _by_site("decision"), ("comment_id", "revision")),
    Part("idempotency", _by_owner("idempotency", "author_id", "author"), ("author_id", "key")),
    Part("reaction", _by_owner("reaction", "comment_id", "comment"), ("comment_id", "author_id")),
    Part("report", _by_site("report")),
    Part("label", _by_site("label")),
    Part("event", _by_site("event"), ("seq",)),
)

LEFT_OUT: Final = {
    "api_key": "a credential; make new ones",
    "attempt": "the log of an endpoint",
    "delivery": "the log of an endpoint; events are all there",
    "endpoint": "holds signing keys; register anew",
    "host_key": "a credential; register anew",
    "lease": "lasts for minutes",
    "moderator": "staff of the installation, with their passwords",
    "renewal": "a credential; guests enter anew",
    "role": "staff of the installation",
    "spent_assertion": "lasts for an hour",
    "spent_nudge": "lasts for minutes",
    "spent_proof": "lasts for minutes",
    "staff_session": "a credential",
}
MADE_AGAIN: Final = {"comment_version": ("nodes", "renderer")}


MODELS: Final[Mapping[str, type[SQLModel]]] = {
    str(model.__tablename__): model for model in vars(models).values() if _is_table(model)
}


def _tables() -> Tables:
    return dict(SQLModel.metadata.tables)


# ---- out ----------------------------------------------------------------------------------------------------------


def write(db: Database, site_id: str, *, now: datetime) -> Iterator[str]:
    """The lines of a site's export, as of one moment, without holding them in memory."""
    tables = _tables()
    with db.read() as session:
        if session.get(models.Site, site_id) is None:
            raise NotFound("There is no such site.")
        yield _line({"kind": KIND, "format": FORMAT, "site": site_id, "exported_at": _text(now)})
        counts: Counter[str] = Counter()
        for part in PARTS:
            for row in _rows(session, part, tables, site_id):
                counts[part.name] += 1
                yield _line({"table": part.name, "row": row})
        yield _line({"end": dict(counts)})


def _rows(session: Session, part: Part, tables: Tables, site_id: str) -> Iterator[dict[str, Any]]:
    table = tables[part.name]
    columns = _columns(table)
    query = select(*columns).where(part.mine(tables, site_id)).order_by(*(table.c[name] for name in part.order))
    for row in session.execute(query.execution_options(yield_per=BATCH)):
        yield {column.name: _text(value) for column, value in zip(columns, row, strict=True)}


def _columns(table: Table) -> list[Any]:
    made = MADE_AGAIN.get(table.name, ())
    return [column for column in table.columns if column.name not in made]


def _text(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"


# ---- in -----------------------------------------------------------------------------------------------------------


def read(db: Database, lines: Iterable[str], try_policy: TryPolicy) -> dict[str, int]:
    """Put an export into an installation that does not have its site; returns the rows by table.

    `try_policy` raises `PolicyError` for overrides that are none. Raises `Invalid` with the number of the line that
    cannot be read, `Conflict` when something of it is here already.
    """
    reading = _Reading(_tables(), try_policy)
    with db.write() as session:
        for name, rows in reading.batches(enumerate(lines, 1)):
            _put(session, reading.tables[name], rows, db.is_sqlite)
        reading.finish()
    return dict(reading.counts)


class _Reading:
    """One pass over an export: what was announced, what has come, where we are."""

    def __init__(self, tables: Tables, try_policy: TryPolicy) -> None:
        self.tables = tables
        self._try_policy = try_policy
        self.counts: Counter[str] = Counter()
        self._parts = {part.name: place for place, part in enumerate(PARTS)}
        self._site = ""
        self._ended: Mapping[str, int] | None = None
        self._number = 0

    def batches(self, lines: Iterable[tuple[int, str]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """The rows, some of one table at a time, in the order of the file, which must be ours."""
        name, rows = "", list[dict[str, Any]]()
        for self._number, line in lines:
            found = self._row(line)
            if found is None:
                continue
            if rows and (found[0] != name or len(rows) == BATCH):
                yield name, rows
                rows = []
            name = found[0]
            rows.append(found[1])
        if rows:
            yield name, rows

    def finish(self) -> None:
        """Refuse a file that was cut off."""
        if self._ended is None:
            self._refuse("the file ends before its end")
        if self._ended != dict(self.counts):
            self._refuse("there are not as many rows as the last line says")

    def _row(self, line: str) -> tuple[str, dict[str, Any]] | None:
        """A table's name and a row for it; None for the first line, the last, and empty ones."""
        if not line.strip():
            return None
        if self._ended is not None:
            self._refuse("something stands after the end")
        said = self._parsed(line)
        if HALF.search(line) and not _is_utf8(said):
            self._refuse("there is half a character in it (a lone surrogate)")
        if not self._site:
            self._begin(said)
            return None
        if "end" in said:
            self._ended = said["end"]
            return None
        name = self._name(said.get("table"))
        self.counts[name] += 1
        return name, self._values(name, said.get("row"))

    def _parsed(self, line: str) -> dict[str, Any]:
        try:
            said = json.loads(line)
            line.encode()
        except (ValueError, RecursionError):
            self._refuse("this is not JSON")
        if not isinstance(said, dict) or NUL.search(line):
            self._refuse("this is not an object of ours")
        return said

    def _begin(self, said: Mapping[str, Any]) -> None:
        if said.get("kind") != KIND or said.get("format") != FORMAT or not isinstance(said.get("site"), str):
            self._refuse("this is not the export of a site in a format that is known here")
        self._site = said["site"]

    def _name(self, name: object) -> str:
        if not isinstance(name, str) or name not in self._parts:
            self._refuse("there is no such table")
        if self.counts and self._parts[name] < max(self._parts[seen] for seen in self.counts):
            self._refuse("the tables are not in our order")
        return name

    def _values(self, name: str, row: object) -> dict[str, Any]:
        columns = {column.name: column for column in _columns(self.tables[name])}
        if not isinstance(row, dict) or (foreign := sorted(set(row) - set(columns))):
            self._refuse(f"this row has what is not known here: {', '.join(foreign) if isinstance(row, dict) else row}")
        if row.get("id" if name == "site" else "site_id", self._site) != self._site:
            self._refuse("this row is another site's")
        values = {key: self._value(column, self._given(name, row, key)) for key, column in columns.items()}
        if name == "site" and values["policy"]:
            self._check_policy(values["policy"])
        if name == "comment_version":
            values |= {"nodes": markup.render(values["text"]), "renderer": markup.RENDERER_VERSION}
        return values

    def _check_policy(self, override: str) -> None:
        try:
            self._try_policy(override)
        except PolicyError as wrong:
            self._refuse(f"the site's policy cannot be used: {'; '.join(wrong.problems)}")

    def _given(self, name: str, row: Mapping[str, Any], key: str) -> Any:
        """A value of the row; for a column that is younger than the file, what a new row has there."""
        if key in row:
            return row[key]
        field = MODELS[name].model_fields[key]
        if field.is_required() or key == "id":
            self._refuse(f"{key} is missing")
        return field.get_default(call_default_factory=True, validated_data={})

    def _value(self, column: Any, value: Any) -> Any:
        if value is None:
            return None if column.nullable else self._refuse(f"{column.name} must not be empty")
        if isinstance(column.type, JSON):
            return value
        if isinstance(column.type, UtcTime):
            return self._moment(column.name, value)
        kind = column.type.python_type
        fits = isinstance(value, (int, float) if kind is float else kind) and isinstance(value, bool) == (kind is bool)
        if not fits or (kind is int and abs(value) > LARGEST):
            self._refuse(f"{column.name} is not what it must be")
        return value

    def _moment(self, name: str, value: object) -> datetime:
        try:
            at = datetime.fromisoformat(str(value))
            at = at if at.tzinfo is None else at.astimezone(UTC)
        except (ValueError, OverflowError):
            self._refuse(f"{name} is no time")
        return at if at.tzinfo is not None else self._refuse(f"{name} has no zone")

    def _refuse(self, why: str) -> NoReturn:
        raise Invalid(f"Line {self._number}: {why}. Nothing was imported.")


def _is_utf8(said: object) -> bool:
    """Whether all of it can be stored."""
    try:
        json.dumps(said, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _put(session: Session, table: Table, rows: list[dict[str, Any]], is_sqlite: bool) -> None:
    """Insert rows; a policy that is kept here already is the same, because its key is its digest."""
    try:
        if table.name == "policy_text":
            add = (sqlite_insert if is_sqlite else postgres_insert)(table)
            session.execute(add.on_conflict_do_nothing(), rows)
        else:
            session.execute(insert(table), rows)
    except IntegrityError:
        raise Conflict(
            f"Something of this site is here already, or belongs to what the file lacks ({table.name}). "
            "Nothing was imported."
        ) from None
