"""`python -m tests.schema`: make a database by migration and compare it with the models; part of `make check`."""

from __future__ import annotations

import sys
import tempfile

from alembic.util.exc import CommandError

from service.migrations import check, upgrade


def main() -> int:
    """0 when the migrations and the models agree."""
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{directory}/schema.db"
        upgrade(url)
        try:
            check(url)
        except CommandError as difference:
            print(f"The migrations and the models differ: {difference}", file=sys.stderr)
            return 1
    print("The migrations and the models agree.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
