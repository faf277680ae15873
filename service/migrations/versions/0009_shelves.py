"""A search keeps to one site inside the index, so that a small site's old hits are found beside a large one's new ones

Revision ID: 0009
Revises: 0008

On SQLite each site has a shelf in each index, a range of 2^32 numbers filled from its beginning: the newest hits of one
site are the end of one range. Texts, names and titles have an index each, so that the few names are not looked for among
the many texts. `search_map` also says which comment a text is of. On PostgreSQL a word that nobody can write, a space
and the site, stands in the index with the others.

A later migration that makes one of these tables anew (batch mode does, on SQLite) drops its triggers and has to call
`keep_up` again.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SEARCHED = {"comment_version": "text", "author": "name", "article": "title"}
OF = {"comment_version": "comment_id"}  # which column says whose text it is, where that is a comment


def index_of(table: str) -> str:
    """The name of SQLite's index of a table."""
    return f"search_in_{table}"


def keep_up(table: str, column: str) -> list[str]:
    """The triggers by which the index follows a table. FTS5 is told the old text to forget, which it does not keep."""
    of = f"(SELECT docid FROM search_map WHERE kind = '{table}' AND ref = %s.id)"
    index = index_of(table)
    forget = f"INSERT INTO {index} ({index}, rowid, text) VALUES ('delete', {of % 'old'}, old.{column});"
    learn = f"INSERT INTO {index} (rowid, text) VALUES ({of % 'new'}, new.{column});"
    return [
        f"CREATE TRIGGER search_{table}_in AFTER INSERT ON {table} BEGIN {place(table)} {learn} END",
        f"CREATE TRIGGER search_{table}_up AFTER UPDATE OF {column} ON {table} "
        f"WHEN old.{column} IS NOT new.{column} BEGIN {forget} {learn} END",
        f"CREATE TRIGGER search_{table}_out BEFORE DELETE ON {table} BEGIN {forget} "
        f"DELETE FROM search_map WHERE kind = '{table}' AND ref = old.id; END",
    ]


def place(table: str) -> str:
    """Give a new row the next number of its site's shelf, which is put up with the first."""
    mine = f"kind = '{table}' AND site_id = new.site_id"
    last = "SELECT docid FROM search_map WHERE docid < (shelf + 1) << 32 ORDER BY docid DESC LIMIT 1"
    return (
        f"INSERT INTO search_shelf (kind, site_id) SELECT '{table}', new.site_id "
        f"WHERE NOT EXISTS (SELECT 1 FROM search_shelf WHERE {mine}); "
        f"INSERT INTO search_map (docid, kind, ref, comment_id) "
        f"SELECT 1 + max(shelf << 32, coalesce(({last}), 0)), '{table}', new.id, {_comment(table, 'new')} "
        f"FROM search_shelf WHERE {mine};"
    )


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        _index_in_postgres("array_to_tsvector(ARRAY[' ' || site_id]) || to_tsvector('simple', {column})")
        return
    _drop_triggers()
    op.execute("DROP TABLE search_text")
    op.execute("DELETE FROM search_map")
    op.execute("ALTER TABLE search_map ADD COLUMN comment_id TEXT")
    op.execute("CREATE TABLE search_shelf (shelf INTEGER PRIMARY KEY, kind TEXT NOT NULL, site_id TEXT NOT NULL)")
    op.execute("CREATE UNIQUE INDEX search_shelf_site ON search_shelf (kind, site_id)")
    for table, column in SEARCHED.items():
        _create(index_of(table))
        _shelve(table)
        _learn(table, column, index_of(table))
        for trigger in keep_up(table, column):
            op.execute(trigger)


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        _index_in_postgres("to_tsvector('simple', {column})")
        return
    _drop_triggers()
    op.execute("DROP TABLE search_shelf")
    op.execute("DELETE FROM search_map")
    op.execute("ALTER TABLE search_map DROP COLUMN comment_id")
    _create("search_text")
    for table, column in SEARCHED.items():
        op.execute(f"DROP TABLE {index_of(table)}")
        op.execute(f"INSERT INTO search_map (kind, ref) SELECT '{table}', id FROM {table} ORDER BY created_at, id")
        _learn(table, column, "search_text")
        plain = f"INSERT INTO search_map (kind, ref) VALUES ('{table}', new.id);"
        for trigger in keep_up(table, column):
            op.execute(trigger.replace(place(table), plain).replace(index_of(table), "search_text"))


def _index_in_postgres(vector: str) -> None:
    for table, column in SEARCHED.items():
        op.execute(f"DROP INDEX search_{table}")
        op.execute(f"CREATE INDEX search_{table} ON {table} USING gin (({vector.format(column=column)}))")


def _drop_triggers() -> None:
    for table in SEARCHED:
        for when in ("in", "up", "out"):
            op.execute(f"DROP TRIGGER search_{table}_{when}")


def _create(index: str) -> None:
    op.execute(
        f"CREATE VIRTUAL TABLE {index} USING fts5 "
        "(text, content='', detail=none, columnsize=0, tokenize='unicode61 remove_diacritics 0')"
    )


def _shelve(table: str) -> None:
    """Number the rows of each site, the oldest first."""
    op.execute(f"INSERT INTO search_shelf (kind, site_id) SELECT DISTINCT '{table}', site_id FROM {table}")
    op.execute(
        f"INSERT INTO search_map (docid, kind, ref, comment_id) "
        f"SELECT (s.shelf << 32) + row_number() OVER (PARTITION BY t.site_id ORDER BY t.created_at, t.id), "
        f"'{table}', t.id, {_comment(table, 't')} "
        f"FROM {table} t JOIN search_shelf s ON s.kind = '{table}' AND s.site_id = t.site_id"
    )


def _learn(table: str, column: str, index: str) -> None:
    op.execute(
        f"INSERT INTO {index} (rowid, text) SELECT m.docid, t.{column} FROM search_map m "
        f"JOIN {table} t ON t.id = m.ref WHERE m.kind = '{table}' ORDER BY m.docid"
    )


def _comment(table: str, row: str) -> str:
    return f"{row}.{OF[table]}" if table in OF else "NULL"
