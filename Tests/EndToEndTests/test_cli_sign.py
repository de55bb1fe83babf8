"""`culvert sign-csr`, and secrets of tunnels in files."""
import json
import ssl
import subprocess

import pytest

from support.cli import CONFLICT, FAILURE, NOT_FOUND, USAGE, good, mode, read
from support.processes import new_name


@pytest.fixture
def passthrough(account):
    name = new_name()
    read(account.run("tunnels", "create", name, "--tls-mode", "passthrough", "--json"))
    return name


def openssl(*words, text=None):
    return subprocess.run(["openssl", *words], input=text, capture_output=True, text=True, check=True).stdout


def test_a_key_and_a_certificate_are_made(account, service, passthrough, tmp_path):
    out = good(account.run("sign-csr", passthrough, "--out", str(tmp_path) + "/"))
    key, cert = tmp_path / f"{passthrough}.localhost.key", tmp_path / f"{passthrough}.localhost.crt"
    assert str(key) in out and str(cert) in out and mode(key) == 0o600
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
    assert f"{passthrough}.localhost" in openssl("x509", "-in", str(cert), "-noout", "-ext", "subjectAltName")
    openssl("verify", "-CAfile", service.ca, "-untrusted", str(cert), str(cert))
    assert read(account.run("tunnels", "get", passthrough, "--json"))["status"] == "active"


def test_a_key_that_is_there_is_used_again(account, passthrough, tmp_path):
    first = read(account.run("sign-csr", passthrough, "--out", str(tmp_path), "--json"))
    key = open(first["key_file"]).read()
    second = read(account.run("sign-csr", passthrough, "--out", str(tmp_path), "--json"))
    assert open(second["key_file"]).read() == key and second["cert_pem"] != first["cert_pem"]
    assert open(second["certificate_file"]).read() == second["cert_pem"] + second["chain_pem"]
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(second["certificate_file"], second["key_file"])


def test_a_request_of_ones_own_is_signed(account, passthrough, tmp_path):
    request = tmp_path / "request.pem"
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(tmp_path / "key"),
            "-subj", "/", "-addext", f"subjectAltName=DNS:{passthrough}.localhost", "-out", str(request))
    printed = good(account.run("sign-csr", passthrough, "--csr-file", str(request)))
    assert printed.count("-----BEGIN CERTIFICATE-----") >= 1 and printed.endswith("-----END CERTIFICATE-----\n")
    assert list(tmp_path.glob("*.crt")) == [], "without --out nothing is written"
    good(account.run("sign-csr", passthrough, "--csr-file", str(request), "--out", str(tmp_path)))
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / f"{passthrough}.localhost.crt", tmp_path / "key")


def test_a_key_that_others_can_read_is_not_used(account, passthrough, tmp_path):
    made = read(account.run("sign-csr", passthrough, "--out", str(tmp_path), "--json"))
    (tmp_path / f"{passthrough}.localhost.key").chmod(0o644)
    out = account.run("sign-csr", passthrough, "--out", str(tmp_path))
    assert out.returncode == FAILURE and "chmod 600" in out.stderr and made["key_file"] in out.stderr


@pytest.mark.parametrize("words, status, said", [
    (["{name}", "--csr-file", "/nonexistent"], USAGE, "/nonexistent"),
    (["{name}", "--csr-file", "{garbage}"], USAGE, "PEM"),
    (["{name}", "--out", "/nonexistent/folder"], FAILURE, "/nonexistent/folder"),
    (["{name}x"], NOT_FOUND, "did you mean {name}?"),
])
def test_what_goes_wrong_is_told(account, passthrough, tmp_path, words, status, said):
    (tmp_path / "garbage").write_bytes(b"\xff\x00")
    fill = {"name": passthrough, "garbage": str(tmp_path / "garbage")}
    out = account.run("sign-csr", *[w.format(**fill) for w in words])
    assert out.returncode == status and said.format(**fill) in out.stderr and out.stdout == "", out


def test_an_edge_tunnel_has_no_certificate_of_its_own(account, tmp_path):
    name = new_name()
    good(account.run("tunnels", "create", name))
    out = account.run("sign-csr", name, "--out", str(tmp_path))
    assert out.returncode == CONFLICT and "edge" in out.stderr


def test_a_connect_secret_goes_into_a_file(account, tmp_path):
    name, file = new_name(), tmp_path / "secret"
    out = account.run("tunnels", "create", name, "--secret-file", str(file))
    secret = file.read_text().strip()
    assert secret.startswith("tnl_") and mode(file) == 0o600 and secret not in good(out) + out.stderr
    rotated = json.loads(good(account.run("tunnels", "rotate-secret", name, "--secret-file", str(file), "--json")))
    assert rotated == {"secret_file": str(file)} and file.read_text().strip() not in (secret, "")
