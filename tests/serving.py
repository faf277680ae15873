"""The service as it is run: a web process and a worker of its own command line, on a free port, with their log.

    with Served(database_url, folder, LOG_LEVEL="DEBUG") as served:
        answer = served.ask("GET", "/readyz")

Only processes that it started are ended, by their id. `application` may name another WSGI module than `wsgi`, for a
service whose engine is a test's own.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from config.settings import load
from service.cli.processes import web_command
from tests.parts import free_port, wait_for

HOUSE = Path(__file__).parent.parent
START_SECONDS = 120.0
STOP_SECONDS = 30.0
SIGNING_KEY = "a-signing-key-for-tests-only-of-32-bytes-or-more"
UNLIMITED = {
    f"LIMIT_{action}": "author 1000000/minute, network 1000000/minute, site 1000000/minute"
    for action in ("COMMENT", "EDIT", "REPORT", "REACTION", "TOKEN", "LOGIN", "ARTICLE", "HOST")
}


@dataclass(frozen=True)
class Answer:
    """What came back: header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @cached_property
    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


def ask(port: int, method: str, path: str, body: Any = None, headers: Any = None, timeout: float = 30.0) -> Answer:
    """One request on a connection of its own; a body that is no bytes is sent as JSON. Raises `OSError` as it comes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    sent = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        sent.setdefault("Content-Type", "application/json")
    try:
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        found = answer.read()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, found)
    finally:
        connection.close()


class Served:
    """One installation's processes, for as long as a `with` block lasts."""

    def __init__(
        self, database_url: str, folder: Path, *, worker: bool = False, application: str = "wsgi", **settings: str
    ) -> None:
        self.port = free_port()
        self.log_file = folder / "served.log"
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(HOUSE),
            "DATABASE_URL": database_url,
            "DATA_DIR": str(folder),
            "SIGNING_KEYS": SIGNING_KEY,
            "ENGINE": "lexicon",
            "PORT": str(self.port),
            "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            **UNLIMITED,
            **settings,
        }
        command = web_command(load(self.environment))
        self._commands = {"web": [*command[:-1], f"{application}:application"]}
        if worker:
            self._commands["worker"] = ["-m", "service.cli", "worker"]
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            for name in self._commands:
                self.start(name)
            self.wait_until_ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self, name: str) -> None:
        """Start one of the processes, in a group of its own."""
        with self.log_file.open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *self._commands[name]],
                cwd=HOUSE,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Until the web process can take a comment."""
        wait_for(self._is_up, START_SECONDS, f"the service to be ready: {self.log[-2_000:]}", pause=0.1)

    def _is_up(self) -> bool:
        if self.processes["web"].poll() is not None:
            raise RuntimeError(f"the web process ended by itself: {self.log[-2_000:]}")
        with suppress(OSError, http.client.HTTPException):
            return self.ask("GET", "/readyz").status == http.client.OK
        return False

    def kill(self, name: str) -> None:
        """SIGKILL a process and what it started; it does not get to say goodbye."""
        process = self.processes.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self, name: str) -> int:
        """SIGTERM, as an operator does; returns how the process ended."""
        process = self.processes.pop(name)
        process.terminate()
        try:
            return process.wait(STOP_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End everything that still runs."""
        for name in list(self.processes):
            self.kill(name)

    @property
    def log(self) -> str:
        """All that the processes wrote to standard output and standard error."""
        return self.log_file.read_text("utf-8", "replace") if self.log_file.exists() else ""

    def family(self, name: str = "web") -> list[int]:
        """The ids of a process and of all that it started."""
        found = [self.processes[name].pid]
        for pid in found:
            with suppress(OSError):
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
                found += [int(child) for child in children.split()]
        return found

    def memory(self) -> int:
        """The most bytes of memory that the web process and its children ever had, added up."""
        total = 0
        for pid in self.family():
            with suppress(OSError):
                status = Path(f"/proc/{pid}/status").read_text()
                total += 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
        return total

    def ask(self, method: str, path: str, body: Any = None, headers: Any = None, timeout: float = 30.0) -> Answer:
        """One request to the web process."""
        return ask(self.port, method, path, body, headers, timeout)
