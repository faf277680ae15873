"""Search over comments, authors and articles, and the lists of everything and of what people decided

Revision ID: 0004
Revises: 0003

SQLite keeps a contentless FTS5 index by triggers; PostgreSQL has GIN indexes over the columns themselves. A later
migration that makes one of these tables anew (batch mode does, on SQLite) drops its triggers and has to call
`keep_up` again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SEARCHED = {"comment_version": "text", "author": "name", "article": "title"}


def keep_up(table: str, column: str) -> list[str]:
    """The triggers by which the index follows a table. FTS5 is told the old text to forget, which it does not keep."""
    of = f"(SELECT docid FROM search_map WHERE kind = '{table}' AND ref = %s.id)"
    forget = f"INSERT INTO search_text (search_text, rowid, text) VALUES ('delete', {of % 'old'}, old.{column});"
    learn = f"INSERT INTO search_text (rowid, text) VALUES ({of % 'new'}, new.{column});"
    return [
        f"CREATE TRIGGER search_{table}_in AFTER INSERT ON {table} BEGIN "
        f"INSERT INTO search_map (kind, ref) VALUES ('{table}', new.id); {learn} END",
        f"CREATE TRIGGER search_{table}_up AFTER UPDATE OF {column} ON {table} "
        f"WHEN old.{column} IS NOT new.{column} BEGIN {forget} {learn} END",
        f"CREATE TRIGGER search_{table}_out BEFORE DELETE ON {table} BEGIN {forget} "
        f"DELETE FROM search_map WHERE kind = '{table}' AND ref = old.id; END",
    ]


def upgrade() -> None:
    op.create_index("ix_comment_site", "comment", ["site_id", "created_at", "id"])
    human = sa.text("actor = 'moderator'")
    op.create_index(
        "ix_decision_human", "decision", ["site_id", "created_at", "id"], sqlite_where=human, postgresql_where=human
    )
    if op.get_bind().dialect.name != "sqlite":
        for table, column in SEARCHED.items():
            op.execute(f"CREATE INDEX search_{table} ON {table} USING gin (to_tsvector('simple', {column}))")
        return
    op.execute("CREATE TABLE search_map (docid INTEGER PRIMARY KEY, kind TEXT NOT NULL, ref TEXT NOT NULL)")
    op.execute("CREATE UNIQUE INDEX search_map_ref ON search_map (kind, ref)")
    op.execute(
        "CREATE VIRTUAL TABLE search_text USING fts5 "
        "(text, content='', detail=none, columnsize=0, tokenize='unicode61 remove_diacritics 0')"
    )
    for table, column in SEARCHED.items():
        op.execute(f"INSERT INTO search_map (kind, ref) SELECT '{table}', id FROM {table}")
        op.execute(
            f"INSERT INTO search_text (rowid, text) SELECT m.docid, t.{column} FROM {table} t "
            f"JOIN search_map m ON m.kind = '{table}' AND m.ref = t.id"
        )
        for trigger in keep_up(table, column):
            op.execute(trigger)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in SEARCHED:
            for when in ("in", "up", "out"):
                op.execute(f"DROP TRIGGER search_{table}_{when}")
        op.execute("DROP TABLE search_text")
        op.execute("DROP TABLE search_map")
    else:
        for table in SEARCHED:
            op.execute(f"DROP INDEX search_{table}")
    op.drop_index("ix_decision_human", "decision")
    op.drop_index("ix_comment_site", "comment")
