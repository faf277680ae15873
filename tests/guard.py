"""Runs one server for as long as a test session lives, and not a moment longer.

`python guard.py LEASH MARK [--user NAME] [--stop SIGNAL] -- COMMAND…` starts COMMAND and then waits for the end of
LEASH, a FIFO that the session holds open for writing. The kernel closes it when the session ends in any way, SIGKILL
included; then, or on SIGTERM, the server is stopped, and the file MARK is removed to say so. The last guard of an ended
session removes what it left. Standard library only, and nothing of ours: it outlives the tests.
"""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

PATIENCE = 10.0


def main() -> int:
    """Start the server, wait for the end of the leash or of the server, stop what still runs."""
    order = arguments()
    server: subprocess.Popen[bytes] = subprocess.Popen(
        order.command, stdin=subprocess.DEVNULL, cwd="/", **identity(order.user)
    )
    signal.signal(signal.SIGTERM, lambda *_: stop(server, order.stop))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the session, which lets the leash go in its own time
    ended = threading.Event()
    threading.Thread(target=follow, args=(order, server, ended), daemon=True).start()
    try:
        return server.wait()
    finally:
        order.mark.unlink(missing_ok=True)
        if ended.is_set() and not list(order.mark.parent.glob("*")):
            shutil.rmtree(order.leash.parent, ignore_errors=True)


def start(order: argparse.Namespace) -> subprocess.Popen[bytes]:
    """The server, in a directory that any user may be in."""
    return subprocess.Popen(order.command, stdin=subprocess.DEVNULL, cwd="/", **identity(order.user))


def arguments() -> argparse.Namespace:
    """What the command line orders."""
    parser = argparse.ArgumentParser()
    parser.add_argument("leash", type=Path)
    parser.add_argument("mark", type=Path)
    parser.add_argument("--user")
    parser.add_argument("--stop", default="SIGTERM", type=signal.Signals.__getitem__)
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def identity(user: str | None) -> dict[str, Any]:
    """How `subprocess` becomes another user, with none of root's groups."""
    return {"user": user, "group": primary_group(user), "extra_groups": []} if user else {}


def primary_group(user: str) -> int:
    """The number of a user's own group."""
    return pwd.getpwnam(user).pw_gid


def follow(order: argparse.Namespace, server: subprocess.Popen[bytes], ended: threading.Event) -> None:
    """Block until the session is gone; one that is gone already reads as the end at once."""
    leash = os.open(order.leash, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(leash, True)
    while os.read(leash, 64):
        pass
    ended.set()
    stop(server, order.stop)


def stop(server: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """Ask the server to end; make it end when it does not."""
    if server.poll() is None:
        server.send_signal(how)
        last_word = threading.Timer(PATIENCE, server.kill)
        last_word.daemon = True
        last_word.start()


if __name__ == "__main__":
    sys.exit(main())
