"""A throw-away PostgreSQL server for the tests of the live data, and workspaces on both databases.

Without PostgreSQL these tests are skipped; with TAILORBIRD_TEST_POSTGRES=required, as in CI, they fail then.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tailorbird.workspace import Workspace

PASSWORD = "sesame"
_LONGEST = 900  # seconds that a server may run, also where nobody stops it
_NUMBERS = count()


class Cluster(NamedTuple):
    """A running server: its folder, which has the socket too, and the port that it listens on at 127.0.0.1."""

    folder: Path
    port: int

    def url(self, schema: str) -> str:
        """The address by the socket, where everybody is let in, with a schema of its own."""
        return f"postgresql+psycopg://tailorbird@/postgres?host={self.folder}&port={self.port}&options=-csearch_path%3D{schema}"

    def run(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(host=str(self.folder), port=self.port, user="tailorbird", dbname="postgres", autocommit=True) as it:
            it.execute(statement)

    def new_schema(self) -> str:
        """The address of an empty schema."""
        schema = f"test_{os.getpid()}_{next(_NUMBERS)}"
        self.run(f"CREATE SCHEMA {schema}")
        return self.url(schema)


def _missing(what: str) -> None:
    if os.environ.get("TAILORBIRD_TEST_POSTGRES") == "required":
        pytest.fail(f"{what}, and TAILORBIRD_TEST_POSTGRES asks for it")
    pytest.skip(what)


def _binaries() -> Path:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name))
    found = [place for place in places if (place / "initdb").exists()]
    if found:
        return found[-1]
    named = shutil.which("initdb")
    if named is None:
        _missing("there is no PostgreSQL here (initdb)")
    return Path(str(named)).resolve().parent


def _somebody() -> dict[str, Any]:
    """Whom the server runs as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    names = [user.pw_name for user in pwd.getpwall()]
    return {"user": "postgres" if "postgres" in names else "nobody", "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    try:
        import psycopg  # noqa: F401
    except ImportError:
        _missing("the driver psycopg is not installed")
    binaries, somebody = _binaries(), _somebody()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if somebody:
        shutil.chown(folder, somebody["user"])
    folder.chmod(0o755)
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o644)
    data, port = folder / "data", _free_port()
    subprocess.run(
        [
            binaries / "initdb", "-D", data, "-U", "tailorbird", "--pwfile", folder / "password", "--auth-local=trust",
            "--auth-host=scram-sha-256", "--no-sync", "-E", "UTF8", "--locale=C",
        ],
        check=True, capture_output=True, timeout=120, cwd="/", **somebody,
    )  # fmt: skip
    options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": folder, "fsync": "off",
               "shared_buffers": "16MB", "max_connections": 60}  # fmt: skip
    server = subprocess.Popen(
        ["timeout", "-s", "INT", str(_LONGEST), binaries / "postgres", "-D", data]
        + [part for name, value in options.items() for part in ("-c", f"{name}={value}")],
        stdout=subprocess.DEVNULL, stderr=(folder / "log").open("wb"), cwd="/", **somebody,
    )  # fmt: skip
    running = Cluster(folder, port)
    try:
        _wait(running, server)
        yield running
    finally:
        server.send_signal(signal.SIGINT)  # which ends connections; SIGTERM would wait for them
        server.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(cluster: Cluster, server: subprocess.Popen[bytes]) -> None:
    import psycopg

    until = time.monotonic() + 60
    while True:
        try:
            return cluster.run("SELECT 1")
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > until:
                pytest.fail(f"PostgreSQL did not start: {(cluster.folder / 'log').read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)


@pytest.fixture(params=["sqlite", "postgresql"])
def make_workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Workspace]:
    """Makes workspaces, by name, that keep their live data in SQLite or in PostgreSQL; further lines go under serving.log."""
    running = request.getfixturevalue("cluster") if request.param == "postgresql" else None

    def make(name: str = "shop", **log: object) -> Workspace:
        folder = Workspace.create(tmp_path / name, "Shop").folder
        lines = {**({"database": running.new_schema()} if running else {}), **log}
        if lines:
            told = "".join(f"    {field}: {value}\n" for field, value in lines.items())
            with (folder / "tailorbird.yaml").open("a", encoding="utf-8") as file:
                file.write(f"serving:\n  log:\n{told}")
        return Workspace(folder)

    return make


@pytest.fixture
def live(make_workspace: Callable[..., Workspace]) -> Workspace:
    """A workspace on SQLite, and once more on PostgreSQL."""
    return make_workspace()
