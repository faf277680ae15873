"""What a newcomer meets: a fresh clone, `make run`, a comment that appears, one that waits, the desk, Ctrl-C.

Takes the last commit of this repository into a temporary directory and uses only what `make run` prints and keeps in
demo.json. Standard library only. Ends with 0 when all of it went well, and else says what did not.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from visitor import Visitor, ask, ask_json, forms, words

HOUSE = Path(__file__).resolve().parent.parent
INSTALL_SECONDS = 600.0  # from nothing, with a cold package cache
START_SECONDS = 60.0
STOP_SECONDS = 30.0
FINE = "The new bridge saves me twenty minutes each morning. Thank you for explaining the costs so clearly."
FOUL = "You are a fucking idiot and so is everybody who voted for this bridge."
Found = TypeVar("Found")


class Disappointed(Exception):
    """Something was not as the README promises."""


def main() -> int:
    """Run it twice; 0 when a newcomer would be content."""
    with tempfile.TemporaryDirectory(prefix="firstword-newcomer-") as directory:
        home = Path(directory)
        subprocess.run(["git", "clone", "-q", HOUSE.as_uri(), str(home / "clone")], check=True)
        try:
            first_evening(home)
            next_morning(home)
        except Disappointed as why:
            print(f"newcomer: {why}\n{'-' * 20} what make run said {'-' * 20}", file=sys.stderr)
            print("\n".join(log.read_text() for log in sorted(home.glob("*.log"))), file=sys.stderr)
            return 1
    print("newcomer: all as promised")
    return 0


def first_evening(home: Path) -> None:
    """Start, comment, moderate, stop."""
    with Evening(home, "first", INSTALL_SECONDS) as evening:
        expect(evening.demo_file.stat().st_mode & 0o777 == 0o600, "demo.json is readable by others")
        password = evening.demo["moderator"]["password"]
        eventually(lambda: password in evening.said(), 10, "the moderator's password was not printed")
        look_around(evening)
        comment(evening)
    for text in (FINE, FOUL):
        expect(text not in evening.said(), "the text of a comment is in the log")


def next_morning(home: Path) -> None:
    """Start again: the comments are still there, and so are the credentials."""
    before = json.loads((home / "data" / "demo.json").read_text())
    with Evening(home, "second", START_SECONDS) as evening:
        expect(evening.demo["api_key"] == before["api_key"], "the second `make run` made another API key")
        expect(evening.texts() == {FINE, FOUL}, "the second `make run` lost comments")


def look_around(evening: Evening) -> None:
    """The pages whose addresses were printed answer."""
    for name in ("article_url", "desk_url"):
        expect(evening.demo[name] in evening.said(), f"{name} was not printed")
        status, _, _ = ask("GET", evening.demo[name])
        expect(status in (200, 303), f"{name} answers {status}")
    _, _, article = ask("GET", evening.demo["article_url"])
    expect("Leave the first comment" in article, "the article page does not ask for the first comment")
    status, _, thread = evening.api("GET", evening.thread_path())
    expect(status == 200 and json.loads(thread)["comments"] == [], "a new article's thread is not empty")
    asked = {"comment": {"text": FINE}, "requestedAttributes": {"TOXICITY": {}, "SPAM": {}}}
    place = f"{evening.demo['base_url']}/v1alpha1/comments:analyze?key={evening.demo['perspective_key']}"
    status, _, scored = ask_json("POST", place, asked)
    expect(status == 200 and {*json.loads(scored)["attributeScores"]} == {"TOXICITY", "SPAM"}, "nothing was scored")


def comment(evening: Evening) -> None:
    """A fine comment appears at once; a foul one waits, is seen by the host, and appears when approved."""
    token = evening.sign_in("Newcomer")
    status, fine = evening.post(token, FINE, key="newcomer-1")
    expect(status == 201, f"a fine comment got {status}: {fine}")
    again, same = evening.post(token, FINE, key="newcomer-1")
    expect(same.get("id") == fine["id"], f"the same key made another comment ({again})")
    expect(evening.texts() == {FINE}, "a fine comment did not appear")
    status, foul = evening.post(evening.sign_in("Another"), FOUL, key="newcomer-2")
    expect(status == 202 and foul["reasons"], f"a foul comment got {status}: {foul}")
    expect(evening.texts() == {FINE}, "a foul comment appeared before a moderator saw it")
    moderate(evening, foul["id"])
    eventually(lambda: evening.texts() == {FINE, FOUL}, 5, "an approved comment did not appear")
    eventually(lambda: evening.was_told(foul["id"]), 20, "the host was not told of the approval by a signed webhook")


def moderate(evening: Evening, comment_id: str) -> None:
    """The printed login opens the desk; there the foul comment waits, and is approved."""
    moderator, mo = evening.demo["moderator"], Visitor()
    status = mo.go(evening.demo["desk_url"])
    expect(status == 200, f"the desk's login page answers {status}")
    status = mo.send("", login=moderator["login"], password=moderator["password"])
    expect(status == 200 and "decide" in {form["id"] for form in forms(mo.page)}, f"no card at the desk ({status})")
    expect(FOUL in words(mo.page), "the foul comment does not wait at the desk")
    status = mo.send("decide", verdict="approve")
    expect(status == 200, f"approving it got {status}")


class Evening:
    """One `make run`, from its start to Ctrl-C."""

    def __init__(self, home: Path, name: str, patience: float) -> None:
        self.home, self.patience = home, patience
        self.log = home / f"{name}.log"
        self.demo_file = home / "data" / "demo.json"
        self.port = free_port()

    def __enter__(self) -> Evening:
        # A shell that runs in the background ignores Ctrl-C, and its children with it: hear it again.
        environ = {**os.environ, "PORT": str(self.port), "DATA_DIR": str(self.home / "data")}
        with self.log.open("wb") as log:
            self.make = subprocess.Popen(
                ["make", "run"],
                cwd=self.home / "clone",
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )
        try:
            self.demo = eventually(self._ready, self.patience, "`make run` did not become ready")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self._leave()
        finally:
            self._end()

    def _ready(self) -> dict[str, Any] | None:
        expect(self.make.poll() is None, f"`make run` ended by itself with {self.make.returncode}")
        if not self.demo_file.exists():
            return None
        try:
            demo: dict[str, Any] = json.loads(self.demo_file.read_text())
            status, _, _ = ask("GET", f"http://127.0.0.1:{self.port}/readyz")
        except (ValueError, OSError):
            return None
        return demo if status == 200 else None

    def _leave(self) -> None:
        """Ctrl-C, as a terminal sends it: to everything in the foreground."""
        os.killpg(self.make.pid, signal.SIGINT)
        try:
            code = self.make.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise Disappointed(f"Ctrl-C did not stop it within {STOP_SECONDS:g} s") from None
        # make itself dies of Ctrl-C, as it must; that what it ran ended well shows in make's not saying "Error".
        expect(code in (0, -signal.SIGINT), f"`make run` ended with {code}")
        for word in ("Traceback", "Error"):
            expect(word not in self.said(), f"`make run` said {word}")
        eventually(lambda: not self._left(), 5, "processes were left behind")
        with socket.socket() as probe:
            expect(probe.connect_ex(("127.0.0.1", self.port)) != 0, "something still listens")

    def _left(self) -> list[int]:
        """Processes that still carry this evening's data directory in their environment."""
        mark, left = os.fsencode(f"DATA_DIR={self.home / 'data'}"), []
        for environ in Path("/proc").glob("[0-9]*/environ"):
            try:
                if mark in environ.read_bytes().split(b"\0"):
                    left.append(int(environ.parent.name))
            except OSError:
                continue
        return left

    def _end(self) -> None:
        """Whatever happened, leave nothing running."""
        for pid in self._left():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.make.wait()

    def said(self) -> str:
        """All that was printed."""
        return self.log.read_text(errors="replace")

    def thread_path(self) -> str:
        """The demo article's thread."""
        return f"/api/v1/comments?site={self.demo['site']}&article={self.demo['article']}"

    def texts(self) -> set[str]:
        """The texts that everybody sees."""
        _, _, body = self.api("GET", self.thread_path())
        return {plain(one["nodes"]) for one in json.loads(body)["comments"]}

    def sign_in(self, name: str) -> str:
        """A guest's token."""
        status, _, body = self.api("POST", "/api/v1/tokens", None, {"site": self.demo["site"], "name": name})
        expect(status == 201, f"a token got {status}: {body}")
        token: str = json.loads(body)["token"]
        return token

    def post(self, token: str, text: str, key: str) -> tuple[int, dict[str, Any]]:
        """A comment on the demo article."""
        article = {"key": self.demo["article"], "url": self.demo["article_url"]}
        order = {"site": self.demo["site"], "article": article, "text": text}
        status, _, body = self.api("POST", "/api/v1/comments", token, order, {"Idempotency-Key": key})
        return status, json.loads(body)

    def api(
        self, method: str, path: str, bearer: str | None = None, order: Any = None, more: dict[str, str] | None = None
    ) -> tuple[int, Any, str]:
        """One call to the service."""
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return ask_json(method, f"{self.demo['base_url']}{path}", order, {**headers, **(more or {})})

    def was_told(self, comment_id: str) -> bool:
        """Whether the demo's receiver got the approval; it keeps only what is signed."""
        _, _, body = self.api("GET", "/demo/received")
        kinds = {one["event"]["type"] for one in json.loads(body)["received"] if comment_id in json.dumps(one)}
        return "comment.approved" in kinds


def plain(nodes: list[Any]) -> str:
    """The text of a node tree."""
    return "".join(node if isinstance(node, str) else plain(node.get("c", [])) for node in nodes)


def expect(fact: object, otherwise: str) -> None:
    """Go on when it is so."""
    if not fact:
        raise Disappointed(otherwise)


def eventually(question: Callable[[], Found | None], seconds: float, otherwise: str) -> Found:
    """Ask until the answer is yes; returns it."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        expect(time.monotonic() < deadline, f"{otherwise} within {seconds:g} s")
        time.sleep(0.1)
    return answer


def free_port() -> int:
    """A port of the loopback that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
