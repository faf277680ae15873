"""The web process and the worker as children of a command: started together, watched, ended together.

Children get a session of their own, so that Ctrl-C in a terminal reaches this process alone, which then ends them in
order and waits until each has finished what it had in flight.
"""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
import time
from types import FrameType, TracebackType

import click

from config.settings import Settings

START_SECONDS = 60
STOP_SECONDS = 20
HEADER_MS = 10_000  # for a request's head, and for silence between two of them
CONNECTIONS = 1_024  # that a process speaks with at once; the rest wait to be accepted


class Processes:
    """Web and worker of one installation, for as long as a `with` block lasts."""

    def __init__(self, settings: Settings, environment: dict[str, str]) -> None:
        self._settings = settings
        self._environment = environment
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.stopping = False

    def __enter__(self) -> Processes:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        return self

    def start(self) -> None:
        """Start web, wait until it can take a comment, start the worker; raises when it does not become ready."""
        self._start("web", *web_command(self._settings))
        ends = time.monotonic() + START_SECONDS
        while not self.stopping and not is_ready(self._settings):
            if time.monotonic() > ends or self._running["web"].poll() is not None:
                raise click.ClickException("The web process did not become ready.")
            time.sleep(0.1)
        self._start("worker", "-m", "service.cli", "worker")

    def wait(self) -> None:
        """Return when asked to stop; raise when a process ends by itself."""
        while not self.stopping:
            for name, process in self._running.items():
                if process.poll() is not None:
                    raise click.ClickException(f"The {name} process ended by itself with {process.returncode}.")
            time.sleep(0.2)
        click.echo("\nStopping …")

    @property
    def ids(self) -> dict[str, int]:
        """The process ids by name, for measuring."""
        return {name: process.pid for name, process in self._running.items()}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._running.values():
            process.terminate()
        ends = time.monotonic() + STOP_SECONDS
        for process in self._running.values():
            try:
                process.wait(max(0.1, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, name: str, *command: str) -> None:
        if not self.stopping:
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own commands
                [sys.executable, *command], env=self._environment, start_new_session=True
            )

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True


def web_command(settings: Settings) -> list[str]:
    """How granian serves the service: one process with threads unless the settings say more.

    The threads are the doorman's. HTTP/1 alone is spoken, because granian puts no time on a connection that may become
    HTTP/2: silent ones would fill the house.
    """
    return [
        "-m", "granian", "--interface", "rsgi", "--host", settings.host, "--port", str(settings.port),
        "--workers", str(settings.web_processes), "--http", "1", "--http1-header-read-timeout", str(HEADER_MS),
        "--backpressure", str(CONNECTIONS), "--no-ws", "--log-level", "warning", "wsgi:application",
    ]  # fmt: skip


def is_ready(settings: Settings) -> bool:
    """Whether the service says that it can take a comment."""
    connection = http.client.HTTPConnection(settings.host, settings.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
