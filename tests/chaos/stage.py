"""The processes on stage: several web servers and workers of one installation, killed and started again at random."""

from __future__ import annotations

import http.client
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from config.settings import load
from service.cli.processes import web_command
from tests.parts import free_port, wait_for

ROOT = Path(__file__).parents[2]
START_SECONDS = 90.0


@dataclass
class Actor:
    """One process that may be killed: its command, and how often it was."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    port: int = 0
    killed: int = 0
    running: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    ready_at: float | None = None

    def is_spared(self, chance: random.Random) -> bool:
        """A web process may mostly serve for some seconds before it goes, however long it took to start."""
        if not self.port or chance.random() < 0.03:
            return False
        if not self.is_ready():
            return True
        self.ready_at = self.ready_at or time.monotonic()
        return time.monotonic() - self.ready_at < chance.uniform(0, 10)

    def start(self) -> None:
        """Start it in a process group of its own."""
        self.ready_at = None
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, *self.command],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL the whole group; nothing gets to say goodbye."""
        if self.running is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait()
            self.running = None

    def is_ready(self) -> bool:
        """Whether a web process answers; a worker has nothing to answer with."""
        if not self.port:
            return True
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class Stage:
    """All actors of one run. They end with the `with` block."""

    def __init__(self, folder: Path, environment: dict[str, str], webs: int, workers: int) -> None:
        self.actors = [self._web(folder, environment, number) for number in range(webs)]
        self.actors += [self._worker(folder, environment, number) for number in range(workers)]

    @staticmethod
    def _web(folder: Path, environment: dict[str, str], number: int) -> Actor:
        port = free_port()
        environment = {**environment, "PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}"}
        command = web_command(load(environment))
        return Actor(f"web-{number}", command, environment, folder / f"web-{number}.log", port)

    @staticmethod
    def _worker(folder: Path, environment: dict[str, str], number: int) -> Actor:
        command = ["-m", "service.cli", "worker"]
        return Actor(f"worker-{number}", command, environment, folder / f"worker-{number}.log")

    def __enter__(self) -> Stage:
        try:
            for actor in self.actors:
                actor.start()
            self.settle()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for actor in self.actors:
            actor.kill()

    @property
    def ports(self) -> list[int]:
        """Where the web processes listen."""
        return [actor.port for actor in self.actors if actor.port]

    @property
    def kills(self) -> dict[str, int]:
        """How often each kind was killed."""
        kinds = ("web", "worker")
        return {kind: sum(a.killed for a in self.actors if a.name.startswith(kind)) for kind in kinds}

    def settle(self) -> None:
        """Wait until everybody is up."""
        for actor in self.actors:
            wait_for(actor.is_ready, START_SECONDS, f"{actor.name} to answer", pause=0.1)

    def haunt(self, seconds: float, chance: random.Random, stop: threading.Event) -> None:
        """Kill somebody every now and then, at any point of whatever they do, and start them again."""
        ends = threading.Event()
        timer = threading.Timer(seconds, ends.set)
        timer.start()
        while not ends.is_set() and not stop.is_set():
            ends.wait(chance.uniform(0.2, 2.5))
            victim = chance.choice(self.actors)
            if victim.is_spared(chance):
                continue
            victim.kill()
            victim.killed += 1
            ends.wait(chance.uniform(0, 1))
            victim.start()
        timer.cancel()
