"""When the service cannot start it says what happened, which file or port, and what to do; it never hangs or half-starts."""
import json
import os
import socket
import sqlite3
import stat
import subprocess

import pytest

from support.processes import CULVERTD, Service

SECONDS_MAX = 20


@pytest.fixture
def idle(tmp_path):
    """A data folder that was laid out, with no service on it."""
    return Service(tmp_path).init()


def fails(command, *words, env=None):
    """The command ends by itself, unsuccessfully, with a message of a few lines that holds all of the words."""
    out = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, env=env)
    said = out.stdout + out.stderr
    assert out.returncode not in (0, -4, -5, -6, -11, 132, 133, 134, 139), f"exit {out.returncode}: {said}"
    assert out.stderr.strip(), "nothing on stderr"
    for word in words:
        assert word.lower() in said.lower(), f"{word!r} is not in: {said}"
    assert "Fatal error" not in said and "Optional(" not in said and len(said.splitlines()) < 30, said
    return out


def database(service):
    found = [p for p in service.data.rglob("*") if p.is_file() and p.open("rb").read(15) == b"SQLite format 3"]
    assert len(found) == 1, found
    return found[0]


def test_init_prints_what_is_needed_once_and_keeps_it_private(tmp_path):
    service = Service(tmp_path).init()
    assert service.org.startswith("org_") and service.key.startswith("ApiKey_")
    assert open(service.ca).read().startswith("-----BEGIN CERTIFICATE-----")
    assert stat.S_IMODE(service.data.stat().st_mode) & 0o077 == 0, "the data folder is open to others"
    for path in service.data.rglob("*"):
        if path.is_file() and str(path) != service.ca:
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, f"{path} can be read by others"


def test_init_in_words(tmp_path):
    out = subprocess.run([CULVERTD, "init", "--data-dir", tmp_path / "d", "--zone", "localhost"], capture_output=True, text=True, timeout=60)
    assert out.returncode == 0 and "ApiKey_" in out.stdout and "ca.pem" in out.stdout


def test_a_second_init_is_refused_and_changes_nothing(idle):
    before = database(idle).read_bytes()
    fails([CULVERTD, "init", "--data-dir", idle.data, "--zone", "localhost", "--json"], str(idle.data))
    assert database(idle).read_bytes() == before


def test_another_organization_can_be_added(idle):
    out = subprocess.run([CULVERTD, "init", "--data-dir", idle.data, "--zone", "localhost", "--json", "--add-organization"],
                         capture_output=True, text=True, timeout=60)
    assert out.returncode == 0, out
    assert json.loads(out.stdout)["organization_id"] != idle.org


@pytest.mark.parametrize("which", ["http_port", "https_port"])
def test_a_port_in_use(idle, which):
    with socket.create_server(("127.0.0.1", getattr(idle, which))):
        fails(idle.command(), str(getattr(idle, which)), "another program")


def test_a_port_that_another_culvertd_has(make_service, idle):
    """Listeners share their port among loops, so a second service must notice by itself."""
    running = make_service()
    idle.http_port = running.http_port
    fails(idle.command(), str(running.http_port), "another program")


def test_a_folder_that_was_not_laid_out(tmp_path):
    empty = Service(tmp_path)
    fails(empty.command(), str(empty.data), "culvertd init")
    empty.data.mkdir(mode=0o700)
    fails(empty.command(), str(empty.data), "culvertd init")
    assert {p.name for p in empty.data.iterdir()} <= {"culvertd.lock"}, "a failed start must leave nothing behind but its lock"


def test_a_folder_in_use(make_service):
    running = make_service()
    other = Service(running.folder)
    other.data = running.data
    fails(other.command(), str(running.data))
    assert running.call("GET", "/readyz", key=None).status == 200


@pytest.mark.parametrize("damage", ["the header", "a page", "cut short", "not a database", "empty"])
def test_a_corrupt_database(idle, damage):
    path = database(idle)
    data = bytearray(path.read_bytes())
    if damage == "the header":
        data[:32] = b"x" * 32
    elif damage == "a page":
        for i in range(4096, len(data)):
            data[i] = 0xA5
    elif damage == "cut short":
        del data[len(data) // 2 + 100:]
    elif damage == "not a database":
        data = bytearray(b"hello\n" * 1000)
    else:
        data = bytearray()
    path.write_bytes(data)
    for tail in ("-wal", "-shm"):
        if os.path.exists(str(path) + tail):
            os.unlink(str(path) + tail)
    fails(idle.command(), str(idle.data if damage == "empty" else path))
    assert damage == "empty" or path.read_bytes() == bytes(data), "the damaged file must stay as it was"


def test_a_newer_schema_is_refused(idle):
    path = database(idle)
    with sqlite3.connect(path) as db:
        version = db.execute("pragma user_version").fetchone()[0]
        db.execute(f"pragma user_version = {version + 1}")
    db.close()
    fails(idle.command(), str(path), "newer")


def test_a_database_without_read_permission(idle):
    if os.geteuid() == 0:
        path = database(idle)
        path.unlink()
        path.mkdir()  # root reads everything; a folder in the file's place cannot be opened either
    else:
        path = database(idle)
        path.chmod(0)
    fails(idle.command(), str(path))


@pytest.mark.parametrize("words, said", [
    ([], "culvertd --help"), (["unknown"], "unknown"), (["serve"], "--data-dir"), (["serve", "--data-dir"], "--data-dir"),
    (["serve", "--data-dir", "/nonexistent/x", "--unknown"], "--unknown"),
    (["init", "--data-dir", "/tmp/x", "--zone", "bad_zone!"], "zone"),
])
def test_flags_that_make_no_sense(words, said):
    out = fails([CULVERTD, *words], said)
    assert out.returncode == 2, "wrong usage has an exit status of its own"


@pytest.mark.parametrize("listen", ["nonsense", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:x", "no.such.host.invalid:80"])
def test_an_address_that_is_none(idle, listen):
    fails([CULVERTD, "serve", "--data-dir", idle.data, "--http", listen], listen)


@pytest.mark.parametrize("name, value", [
    ("CULVERT_RESPONSE_DEADLINE_SECONDS", "soon"), ("CULVERT_RESPONSE_DEADLINE_SECONDS", "-1"), ("CULVERT_LIMIT_TUNNEL_CREATES_PER_DAY", "many")])
def test_a_setting_that_makes_no_sense(idle, name, value):
    fails(idle.command(), name, env={**idle.env, name: value})
