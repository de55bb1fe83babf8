"""Somebody else's package builds against the products of this one, and does its job: Fixtures/Embedding."""
import shutil
import subprocess
from pathlib import Path

import pytest

from support.processes import new_name
from support.waiting import until

TOP = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def binaries():
    """The example package, built the way its owner would; its build folder is kept for the next run."""
    assert shutil.which("swift"), "the tests of embedding build a package: put the Swift toolchain on PATH"
    words = ["swift", "build", "--package-path", TOP / "Fixtures/Embedding", "--scratch-path", TOP / ".cache/embedding"]
    built = subprocess.run(words, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    shown = subprocess.run([*words, "--show-bin-path"], capture_output=True, text=True, check=True)
    return Path(shown.stdout.strip())


@pytest.mark.seconds(900)
def test_the_rules_alone(binaries):
    out = subprocess.run([binaries / "name-check", "my-agent", "a--b"], capture_output=True, text=True, timeout=60)
    assert out.returncode == 1
    assert out.stdout.splitlines() == [
        "my-agent: may be a tunnel's name", "a--b: It has two hyphens in a row at position 2; use one.",
        "a certificate of 90 days: renewed from day 60 on"]


@pytest.mark.seconds(900)
def test_a_program_that_is_its_own_web_server(binaries, service, tmp_path):
    name, key = new_name(), tmp_path / "key"
    key.write_text(service.key + "\n")
    book = subprocess.Popen([binaries / "guestbook", f"https://localhost:{service.https_port}", service.ca, key, name],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        until("the guestbook is open", lambda: any(
            t["tunnel_name"] == name and t["currently_connected"] for t in service.call("GET", "/api/v1/tunnels").json()["tunnels"]))
        host = f"{name}.localhost"
        assert service.get(host, method="POST", body=b"I was here").status == 204
        assert service.get(host).body == b"I was here\n"
        assert service.get(host, method="DELETE").status == 405
        assert service.get(host, method="POST", body=bytes(1_001)).status == 413
    finally:
        book.kill()
        book.wait()
