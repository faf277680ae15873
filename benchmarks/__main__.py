"""`make bench`: posting and reading, cold start and memory, each as a ratio to a plain Flask route in the same run."""

from __future__ import annotations

import argparse
import http.client
import json
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.load import Ask, Measured, family, measure, resident_mib
from config.settings import Settings, demo_environment, load
from service import migrations, sites
from service.cli.processes import web_command
from service.db import Database

ORIGIN = "https://bench.example"
TEXT = "The new bridge saves me twenty minutes each morning, and the council counted the costs rather well. "
THREAD = "/api/v1/comments?site=bench&article=a&limit=50"
HIGH = "author 10000000/minute, network 10000000/minute, site 10000000/minute"


def main() -> None:
    """Run all of it and print a table; `--json FILE` keeps the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2_000, help="requests a load")
    parser.add_argument("--threads", type=int, default=4, help="clients at once")
    parser.add_argument("--engine", default="", help="the engine to judge with (the settings' default)")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="firstword-bench-") as folder:
        settings, environment = prepared(Path(folder), options.engine)
        found = run(settings, environment, options.requests, options.threads)
    show(Console(), settings, found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1, default=vars) + "\n", encoding="utf-8")


def prepared(folder: Path, engine: str) -> tuple[Settings, dict[str, str]]:
    """A fresh service on SQLite with limits out of the way."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    mine = {"DATA_DIR": str(folder), "PORT": port, "DEMO": "0", "SIGNING_KEYS": secrets.token_hex(32)}
    mine |= {f"LIMIT_{action}": HIGH for action in ("COMMENT", "TOKEN", "ARTICLE")}
    environment = {**demo_environment(), **mine, **({"ENGINE": engine} if engine else {})}
    settings = load(environment)
    migrations.upgrade(settings.database_url)
    database = Database(settings.database_url, pool_size=1)
    sites.add_site(database, "bench", "Bench", [ORIGIN], now=datetime.now(UTC))
    database.close()
    return settings, environment


def run(settings: Settings, environment: dict[str, str], requests: int, threads: int) -> dict[str, object]:
    """Every measurement, in one go on one machine."""
    plain_start, plain_memory = started(settings, environment, "benchmarks.plain:application", "/plain")
    with served(settings, environment, "benchmarks.served:application") as process:
        began = time.perf_counter()
        wait_for(settings.port, "/readyz", 60)
        start = time.perf_counter() - began
        pids, post = family(process.pid), poster(settings)
        measure("warm-up", settings.port, pids, post, requests=100, threads=threads)

        plan: list[tuple[str, Ask]] = [
            ("plain route", getter("/plain")),
            ("POST a comment", post),
            ("GET a thread, kept", getter(THREAD)),
            ("GET a thread, rendered anew", getter(THREAD + "&x={}")),
        ]
        loads = [measure(name, settings.port, pids, ask, requests=requests, threads=threads) for name, ask in plan]
        memory = resident_mib(family(process.pid))
    return {"loads": loads, "start": (start, plain_start), "memory": (memory, plain_memory)}


def getter(path: str) -> Ask:
    """Reads a path, in which `{}` stands for the request's number."""

    def get(connection: http.client.HTTPConnection, number: int) -> int:
        connection.request("GET", path.format(number))
        answer = connection.getresponse()
        answer.read()
        return answer.status

    return get


def poster(settings: Settings) -> Ask:
    """Posts comments as one reader to one of twenty articles."""
    connection = http.client.HTTPConnection("127.0.0.1", settings.port)
    connection.request(
        "POST", "/api/v1/tokens", json.dumps({"site": "bench", "name": "Ada"}), {"Content-Type": "application/json"}
    )
    token = json.loads(connection.getresponse().read())["token"]
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}

    def post(connection: http.client.HTTPConnection, number: int) -> int:
        key = "a" if number % 20 == 0 else f"article-{number % 20}"
        text = f"{TEXT} That makes {number} of us, {secrets.token_hex(4)}."
        body = {"site": "bench", "article": {"key": key, "url": f"{ORIGIN}/{key}"}, "text": text}
        connection.request("POST", "/api/v1/comments", json.dumps(body), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    return post


def started(settings: Settings, environment: dict[str, str], application: str, path: str) -> tuple[float, float]:
    """Seconds until a plain WSGI application answers, and the MiB it then holds."""
    with served(settings, environment, application, interface="wsgi") as process:
        began = time.perf_counter()
        wait_for(settings.port, path, 60)
        return time.perf_counter() - began, resident_mib(family(process.pid))


@contextmanager
def served(
    settings: Settings, environment: dict[str, str], application: str, interface: str = "rsgi"
) -> Iterator[subprocess.Popen[bytes]]:
    """An application on the server that the service uses."""
    asked = [interface if word == "rsgi" else word for word in web_command(settings)[:-1]]
    command = [sys.executable, *asked, application]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()


def wait_for(port: int, path: str, seconds: float) -> None:
    """Return at the first 200."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(f"nothing answers at {path}")


def show(console: Console, settings: Settings, found: dict[str, object]) -> None:
    """The table; the ratio of CPU to the plain route is the figure that carries from machine to machine."""
    loads: list[Measured] = found["loads"]  # type: ignore[assignment]
    plain = loads[0]
    table = Table(
        "Load", "requests/s", "CPU ms", "ratio to plain", "p50 ms", "p95", "p99", "refused", title=settings.engine
    )
    for load_ in loads:
        ratio = f"{load_.cpu_ms / plain.cpu_ms:.1f}"
        figures = (f"{value:.2f}" for value in (load_.p50, load_.p95, load_.p99))
        table.add_row(load_.name, f"{load_.rate:.0f}", f"{load_.cpu_ms:.2f}", ratio, *figures, str(load_.refused))
    console.print(table)
    for name, unit in (("start", "s"), ("memory", "MiB")):
        mine, peer = found[name]  # type: ignore[misc]
        console.print(f"{name}: {mine:.2f} {unit}, plain {peer:.2f} {unit}, ratio {mine / peer:.1f}")


if __name__ == "__main__":
    main()
