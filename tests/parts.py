"""The real parts that tests run against: PostgreSQL, Redis and Chromium as the system has them.

`python -m tests.parts` installs what is missing where it may (root, apt), and else says in one line how to. Finding and
installing use the standard library only, because they run before any package is installed. Servers listen on loopback,
on ports that the system says are free, in a directory of their own that ends with the test session.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from tests.guard import identity

GUARD = Path(__file__).with_name("guard.py")
BOOT_SECONDS = 60.0
LEASH_SECONDS = 15.0
ROOM_BYTES = 4 * 1024**3


class PartMissing(Exception):
    """A part of the system that tests need is not there; the text says how to get it."""


# ---- what the system has ----


def postgres_programs() -> Path | None:
    """The directory with `initdb` and `postgres`, of the newest version installed."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    installed = sorted(versions, key=lambda program: int(program.parts[-3]), reverse=True)
    anywhere = shutil.which("initdb")
    found = installed[0] if installed else Path(anywhere).resolve() if anywhere else None
    return found.parent if found else None


def redis_program() -> Path | None:
    """The Redis server, or Valkey, which took its place in some systems."""
    return _first("redis-server", "valkey-server")


def chromium_program() -> Path | None:
    """A Chromium or Chrome; the environment's CHROMIUM goes before what is installed."""
    return _first(os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")


def _first(*names: str) -> Path | None:
    found = next(filter(None, map(shutil.which, filter(None, names))), None)
    return Path(found) if found else None


@dataclass(frozen=True)
class Part:
    """One thing that is not a Python package."""

    name: str
    packages: tuple[str, ...]
    find: Callable[[], Path | None]

    def require(self) -> Path:
        """Where it is; raises `PartMissing` with the way to get it."""
        if found := self.find():
            return found
        raise PartMissing(f"{self.name} is not installed. {remedy([self])}")


POSTGRES = Part("PostgreSQL", ("postgresql",), postgres_programs)
REDIS = Part("Redis", ("redis-server",), redis_program)
CHROMIUM = Part("Chromium", ("chromium", "fonts-dejavu-core", "fonts-liberation"), chromium_program)
PARTS = (POSTGRES, REDIS, CHROMIUM)


def remedy(missing: list[Part]) -> str:
    """One line that installs what is missing."""
    packages = " ".join(package for part in missing for package in part.packages)
    if shutil.which("apt-get"):
        return f"Run: {'' if os.geteuid() == 0 else 'sudo '}apt-get install -y --no-install-recommends {packages}"
    return "Install them with the system's package manager and put them on PATH (CHROMIUM=/path/to/it for a browser)."


# ---- installing ----


def main() -> int:
    """Install what is missing, or say how to; 0 when everything is there."""
    missing = [part for part in PARTS if not part.find()]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(missing)
        missing = [part for part in PARTS if not part.find()]
    if missing:
        names = ", ".join(part.name for part in missing)
        print(f"The tests need {names}. {remedy(missing)}", file=sys.stderr)
    return 1 if missing else 0


def _install(missing: list[Part]) -> None:
    """Ask apt; ask again with fresh lists when it does not know the packages or holds stale addresses."""
    packages = [package for part in missing for package in part.packages]
    print(f"Installing {' '.join(packages)}", flush=True)
    if not _apt("install", "-y", "--no-install-recommends", *packages):
        _apt("update")
        _apt("install", "-y", "--no-install-recommends", *packages, show=True)


def _apt(*words: str, show: bool = False) -> bool:
    """Run apt-get without questions; the end of what it said is shown when it fails and `show` is set."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", *words]
    done = subprocess.run(command, env=quiet, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode and show:
        print("\n".join((done.stdout + done.stderr).splitlines()[-15:]), file=sys.stderr)
    return done.returncode == 0


# ---- the session that owns what is started ----


@dataclass
class Lair:
    """A directory in which one test session, with all its workers, keeps what it starts."""

    path: Path
    hold: int | None = field(default=None, repr=False)
    guards: list[subprocess.Popen[bytes]] = field(default_factory=list, repr=False)

    @classmethod
    def open(cls) -> Lair:
        """A new one, with a leash whose end ends everything started in it."""
        path = Path(tempfile.mkdtemp(prefix="fw-", dir=_swift_place()))
        path.chmod(0o711)
        (path / "guards").mkdir()
        os.mkfifo(path / "leash", 0o600)
        return cls(path, os.open(path / "leash", os.O_RDWR))

    def close(self) -> None:
        """Let the leash go, wait until every guard has taken its mark away, remove the directory."""
        if self.hold is not None:
            os.close(self.hold)
            wait_for(lambda: not list(self.path.glob("guards/*")), LEASH_SECONDS, "servers to end")
            shutil.rmtree(self.path, ignore_errors=True)

    def start(self, *command: str | Path, user: str | None = None, stop: str = "SIGTERM") -> subprocess.Popen[bytes]:
        """Start a server under guard; its output goes to a log in the lair."""
        name = f"{Path(command[0]).name}-{secrets.token_hex(4)}"
        mark = self.path / "guards" / name
        mark.touch()
        words = [sys.executable, str(GUARD), str(self.path / "leash"), str(mark), "--stop", stop]
        words += ["--user", user] if user else []
        with (self.path / f"{name}.log").open("wb") as log:
            guard = subprocess.Popen(
                [*words, "--", *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.guards.append(guard)
        return guard

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Only one worker at a time is in here."""
        with (self.path / f"{what}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _swift_place() -> str:
    """Memory where there is room for databases; short, because a UNIX socket's path has 107 bytes at most."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM_BYTES
    return str(memory) if roomy else "/tmp"


def wait_for(condition: Callable[[], object], seconds: float, what: str, pause: float = 0.02) -> None:
    """Ask until it is so; raises TimeoutError with `what` when it never is."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(pause)


def free_port() -> int:
    """A port of the loopback that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ---- PostgreSQL ----


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL, owned by the session, shared by its workers."""

    programs: Path
    socket_directory: Path
    port: int
    password: str

    def url(self, database: str = "postgres") -> str:
        """The address of one database, over TCP as in production."""
        return f"postgresql+psycopg://firstword:{quote(self.password)}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one administrative statement outside a transaction."""
        import psycopg

        with psycopg.connect(
            host=str(self.socket_directory), port=self.port, user="firstword", dbname=database, autocommit=True
        ) as connection:
            connection.execute(statement.encode())

    def create(self, name: str, template: str = "template0") -> str:
        """A new database, copied from a template; returns its address."""
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def shared_cluster(lair: Lair) -> Cluster:
    """The session's PostgreSQL, started by the first worker that asks."""
    note = lair.path / "postgres.json"
    with lair.alone("postgres"):
        if not note.exists():
            note.write_text(json.dumps(_start_postgres(lair)))
    told = json.loads(note.read_text())
    return Cluster(Path(told["programs"]), Path(told["socket_directory"]), told["port"], told["password"])


class OwnCluster:
    """A PostgreSQL of one's own, which may be crashed and started again on the same port."""

    def __init__(self, lair: Lair) -> None:
        self._lair, self._user = lair, _unprivileged()
        programs = POSTGRES.require()
        home, password = _home(lair, f"pg-{secrets.token_hex(4)}", self._user)
        _initialise(programs, home, self._user)
        self.cluster = Cluster(programs, home, free_port(), password)
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> Cluster:
        """Start it; returns when it accepts connections."""
        cluster = self.cluster
        self._server = _boot(
            self._lair, cluster.programs, cluster.socket_directory, self._user, cluster.port, "SIGQUIT"
        )
        if self._server.poll() is not None:
            raise RuntimeError("PostgreSQL did not start")
        return cluster

    def crash(self) -> None:
        """End it at once: what it has not handed to the disk's cache is lost."""
        if self._server is not None:
            self._server.terminate()
            self._server.wait(LEASH_SECONDS)
            self._server = None


def _home(lair: Lair, name: str, user: str | None) -> tuple[Path, str]:
    """A directory for a cluster, with the password that it will have."""
    home, password = lair.path / name, secrets.token_urlsafe(16)
    home.mkdir(mode=0o700)
    (home / "password").write_text(password)
    if user:
        for path in (home, home / "password"):
            shutil.chown(path, user)
    return home, password


def _start_postgres(lair: Lair) -> dict[str, str | int]:
    programs, user = POSTGRES.require(), _unprivileged()
    home, password = _home(lair, "pg", user)
    _initialise(programs, home, user)
    port = _serve(lair, programs, home, user)
    return {"programs": str(programs), "socket_directory": str(home), "port": port, "password": password}


def _unprivileged() -> str | None:
    """Who runs PostgreSQL, which refuses root: nobody else when we are not root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def _initialise(programs: Path, home: Path, user: str | None) -> None:
    command: list[str | Path] = [programs / "initdb", "-D", home / "data", "--pwfile", home / "password"]
    command += ["-U", "firstword", "--auth-local=trust", "--auth-host=scram-sha-256"]
    command += ["--encoding=UTF8", "--locale=C", "--no-sync"]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, **identity(user))
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr}")


def _serve(lair: Lair, programs: Path, home: Path, user: str | None) -> int:
    """Start the server on a free port, again when another process took the port in between."""
    for _ in range(5):
        port = free_port()
        if _boot(lair, programs, home, user, port, "SIGINT").poll() is None:
            return port
    raise RuntimeError("PostgreSQL did not start: " + (sorted(lair.path.glob("postgres-*.log"))[-1]).read_text())


def _boot(lair: Lair, programs: Path, home: Path, user: str | None, port: int, stop: str) -> subprocess.Popen[bytes]:
    """Start the server and wait until it accepts connections or has ended."""
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": home,
        "max_connections": 300,
        "shared_buffers": "64MB",
        "fsync": "off",
        "synchronous_commit": "off",
        "wal_writer_delay": "10s",  # so that a crash loses what nobody waited for
        "wal_writer_flush_after": "1GB",
        "full_page_writes": "off",
        "autovacuum_naptime": "10min",
        "timezone": "UTC",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    server = lair.start(programs / "postgres", "-D", home / "data", "-p", str(port), *options, user=user, stop=stop)
    ready: list[str | Path] = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    wait_for(
        lambda: server.poll() is not None or subprocess.run(ready, check=False).returncode == 0,
        BOOT_SECONDS,
        "PostgreSQL to accept connections",
    )
    return server


# ---- Redis ----


@dataclass
class Redis:
    """A Redis server of one's own, which may be stopped and started again on the same port."""

    lair: Lair
    port: int = 0
    guard: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> Redis:
        """Start it, keeping nothing on disk; returns when it answers."""
        program = REDIS.require()
        self.port = self.port or free_port()
        words = ("--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no")
        self.guard = self.lair.start(program, *words, "--dir", self.lair.path)
        wait_for(self._answers, BOOT_SECONDS, "Redis to answer")
        return self

    def stop(self) -> None:
        """Stop it and wait for its end."""
        if self.guard is not None:
            self.guard.terminate()
            self.guard.wait(LEASH_SECONDS)
            self.guard = None

    def flush(self) -> None:
        """Forget every key."""
        self._say(b"FLUSHALL\r\n")

    def _answers(self) -> bool:
        if self.guard is not None and self.guard.poll() is not None:
            raise RuntimeError("Redis ended at its start")
        with suppress(OSError):
            return self._say(b"PING\r\n").startswith(b"+PONG")
        return False

    def _say(self, words: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as line:
            line.sendall(words)
            return line.recv(64)


# ---- Chromium ----

LOOPBACK_ONLY = "MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1"
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-dev-shm-usage",
    f"--host-resolver-rules={LOOPBACK_ONLY}",
)


if __name__ == "__main__":
    sys.exit(main())
