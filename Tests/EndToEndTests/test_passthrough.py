"""TLS passthrough with Culvert's own agent: independent TLS clients, bytes as they are, and who gets which alert."""
import hashlib
import json
import os
import shutil
import socket
import ssl
import stat
import subprocess
import threading
import time

import httpx
import pytest
from cryptography import x509
from websockets.sync.client import connect as dial

from support.clock import DAY, WallClock
from support.client_hello import alert_for, client_hello, read_all
from support.origin import Origin
from support.processes import Account, Agent, new_name, peak_kib
from support.shared_tls import through_tls
from support.tls_origin import RawServer, read_exactly
from support.waiting import until

MIB = 1 << 20


class Tls:
    """A `culvert tls …` that runs."""

    def __init__(self, service, folder, *words, name=None, command="tls", clock=None):
        self.service, self.account = service, Account(folder, service)
        if clock:
            self.account.env.update(clock.environment)
        self.name = name or new_name()
        self.host = f"{self.name}.localhost"
        self.agent = Agent(self.account, command, *words, "--name", self.name)

    def up(self):
        assert self.agent.url() == f"https://{self.host}:{self.service.https_port}"
        return self

    def connect(self, alpn=None, host=None):
        """A TLS connection of Python's, verified by the service's authority."""
        sock = socket.create_connection(("127.0.0.1", self.service.https_port), timeout=30)
        return self.service.tls(alpn=alpn).wrap_socket(sock, server_hostname=host or self.host)

    def state(self, suffix):
        return next((self.account.folder / "state").rglob(f"{self.name}.{suffix}"))


def ask(tls, method, target, http2, host=None, **options):
    """One request of httpx's, verified by the service's authority."""
    with httpx.Client(http1=not http2, http2=http2, verify=tls.service.tls(), timeout=60) as client:
        return client.request(method, f"https://127.0.0.1:{tls.service.https_port}{target}", headers={"Host": host or tls.host},
                              extensions={"sni_hostname": tls.host}, **options)


@pytest.fixture
def make_tls(service, tmp_path_factory):
    made = []

    def make(*words, own_service=None, **options):
        made.append(Tls(own_service or service, tmp_path_factory.mktemp("tls"), *words, **options))
        return made[-1]

    yield make
    for tls in made:
        if tls.agent.process.poll() is None:
            tls.agent.kill()


@pytest.fixture
def ended(make_tls, origin):
    """A tunnel whose TLS ends in the agent, before the shared origin."""
    return make_tls(str(origin.port)).up()


@pytest.fixture
def carry(make_tls):
    """carry(serve) -> a tunnel whose connections go untouched to a server that this function is."""
    servers = []

    def make(serve, **options):
        server = RawServer(serve)
        servers.append(server)
        tls = make_tls("--tls-passthrough-to", f"127.0.0.1:{server.port}", **options)
        return tls, server

    yield make
    for server in servers:
        server.close()


def activate(tls):
    """Gives the tunnel its first certificate, as its owner does before the first start."""
    tls.agent.process.wait(20)
    out = tls.account.run("sign-csr", tls.name, "--out", str(tls.account.folder))
    assert out.returncode == 0, out
    tls.agent = Agent(tls.account, "tls", *tls.agent.command[2:])
    return tls.up()


def test_python_ends_tls_with_the_agent(ended, origin):
    with ended.connect(alpn=["http/1.1"]) as sock:
        assert sock.selected_alpn_protocol() == "http/1.1"
        assert sock.getpeercert()["subjectAltName"] == (("DNS", ended.host),)
        own = ended.state("crt").read_text()
        assert ssl.DER_cert_to_PEM_cert(sock.getpeercert(binary_form=True)).split() == own[:own.index("-----END CERTIFICATE-----") + 25].split()
        sock.sendall(f"GET /path?q=1 HTTP/1.1\r\nHost: {ended.host}\r\nX-Forwarded-For: 10.9.8.7\r\nConnection: close\r\n\r\n".encode())
        data = b""
        while piece := sock.recv(65536):
            data += piece
    assert data.startswith(b"HTTP/1.1 200")
    seen = next(e for e in origin.seen if e.target == "/path?q=1")
    assert seen.all("x-forwarded-for") == ["127.0.0.1"] and seen.all("x-forwarded-proto") == ["https"]
    assert seen.header("x-forwarded-host") == f"{ended.host}:{ended.service.https_port}"


def test_the_key_is_made_here_and_only_its_owner_can_read_it(ended):
    assert stat.S_IMODE(os.stat(ended.state("key")).st_mode) == 0o600
    assert "PRIVATE KEY" in ended.state("key").read_text()


@pytest.mark.parametrize("http2", [False, True])
def test_httpx_speaks_both_versions(ended, http2):
    for number in range(20):
        answer = ask(ended, "POST", "/echo", http2, content=b"x" * number * 5000)
        assert answer.status_code == 200 and answer.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
        assert len(answer.json()["body"]) == number * 5000


def test_curl_speaks_http2(ended):
    out = subprocess.run(["curl", "-sS", "--http2", "--cacert", ended.service.ca, "--resolve",
                          f"{ended.host}:{ended.service.https_port}:127.0.0.1", "-o", "/dev/null", "-w",
                          "%{http_version} %{http_code} %{ssl_verify_result}",
                          f"https://{ended.host}:{ended.service.https_port}/"], capture_output=True, text=True, timeout=30)
    assert out.stdout == "2 200 0", out


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_ends_tls_with_the_agent(ended, version):
    out = subprocess.run(["openssl", "s_client", version, "-connect", f"127.0.0.1:{ended.service.https_port}", "-servername",
                          ended.host, "-CAfile", ended.service.ca, "-verify_return_error", "-verify_hostname", ended.host,
                          "-quiet", "-ign_eof"], capture_output=True, timeout=30,
                         input=f"GET / HTTP/1.1\r\nHost: {ended.host}\r\nConnection: close\r\n\r\n".encode())
    assert b"HTTP/1.1 200" in out.stdout, out


def test_large_bodies_pass_both_ways(ended, origin):
    origin.on("/same", lambda exchange: exchange.answer(body=exchange.body()))
    body = os.urandom(8 * MIB)
    answer = ask(ended, "POST", "/same", True, content=body)
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(body).digest()


# Names


def test_another_host_on_the_connection_is_misdirected(ended, make_tls, origin, route):
    other = make_tls(str(origin.port)).up()
    for host in (other.host, route.host, "localhost"):
        with ended.connect(alpn=["http/1.1"]) as sock:
            sock.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            assert sock.recv(65536).startswith(b"HTTP/1.1 421"), host
        assert ask(ended, "GET", "/", True, host=host).status_code == 421, host


def test_the_edge_never_speaks_for_a_passthrough_name(ended, route, service):
    # By the connection of an edge tunnel, and by one that names no host.
    for sni in (route.host, None):
        context = service.tls(check_hostname=False)
        with socket.create_connection(("127.0.0.1", service.https_port), timeout=20) as raw:
            with context.wrap_socket(raw, server_hostname=sni) as sock:
                sock.sendall(f"GET / HTTP/1.1\r\nHost: {ended.host}\r\nConnection: close\r\n\r\n".encode())
                answer = sock.recv(65536)
        assert answer.startswith(b"HTTP/1.1 421"), (sni, answer)


def test_plain_http_is_sent_to_tls(ended, service):
    answer = service.get(ended.host, "/a?b=c")
    assert answer.status == 308 and answer.header("location") == f"https://{ended.host}:{service.https_port}/a?b=c"


# Alerts


def test_a_foreign_name_gets_unrecognized_name(service):
    assert alert_for(service.https_port, client_hello("www.example.com")) == "unrecognized_name"


def test_an_alert_arrives_though_the_client_goes_on_sending(service):
    assert alert_for(service.https_port, client_hello("www.example.com"), then=os.urandom(100_000)) == "unrecognized_name"


def test_a_tunnel_without_its_agent_gets_internal_error(ended, service):
    ended.agent.stop()
    until("the agent is gone", lambda: not service.call("GET", f"/api/v1/tunnels/{tunnel_id(service, ended.name)}").json()["currently_connected"])
    began = time.monotonic()
    assert alert_for(service.https_port, client_hello(ended.host)) == "internal_error"
    assert time.monotonic() - began < 5


def test_a_tunnel_without_a_certificate_gets_internal_error(service):
    tunnel = service.tunnel(tls_mode="passthrough")
    assert alert_for(service.https_port, client_hello(tunnel.host)) == "internal_error"


def test_a_target_that_is_away_is_told_by_an_alert(carry):
    tls, server = carry(lambda sock: None)
    activate(tls)
    server.close()
    assert alert_for(tls.service.https_port, client_hello(tls.host)) == "internal_error"


def test_an_agent_that_never_binds_is_waited_for_so_long(make_service, connect):
    own = make_service(env={"CULVERT_PASSTHROUGH_BIND_SECONDS": "1"})
    tunnel = own.tunnel(tls_mode="passthrough")
    sign(own, tunnel)
    agent = connect(own, tunnel)
    agent.park()
    assert alert_for(own.https_port, client_hello(tunnel.host)) == "internal_error"


def test_a_hello_that_never_ends_is_cut_off(service, ended):
    """After 16 KiB it is nobody's; the name in it, if any, is not looked for."""
    with socket.create_connection(("127.0.0.1", service.https_port), timeout=30) as sock:
        record = b"\x16\x03\x01\x40\x00" + b"\x01\x00\xff\xff" + b"\x00" * 16380
        sock.sendall(record + record)
        data, _ = read_all(sock)
    assert b"HTTP" not in data


def tunnel_id(service, name):
    return next(t["id"] for t in service.call("GET", "/api/v1/tunnels").json()["tunnels"] if t["tunnel_name"] == name)


def sign(service, tunnel):
    """A first certificate, so that the tunnel is active."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    key = ec.generate_private_key(ec.SECP256R1())
    csr = (x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
           .add_extension(x509.SubjectAlternativeName([x509.DNSName(tunnel.host)]), critical=True).sign(key, hashes.SHA256()))
    answer = service.call("POST", f"/api/v1/tunnels/{tunnel.id}/sign-csr", {"csr_pem": csr.public_bytes(serialization.Encoding.PEM).decode()})
    assert answer.status == 200, answer


# Bytes


def hello_then_echo(sock):
    while data := sock.recv(65536):
        sock.sendall(data)


def test_bytes_arrive_as_they_were_sent_however_they_are_cut(carry):
    tls, _ = carry(hello_then_echo)
    activate(tls)
    hello = client_hello(tls.host)
    sent = hello + os.urandom(200_000)
    with socket.create_connection(("127.0.0.1", tls.service.https_port), timeout=30) as sock:
        threading.Thread(target=lambda: (cut(sock, sent), sock.shutdown(socket.SHUT_WR)), daemon=True).start()
        data, how = read_all(sock)
    assert data == sent and how == "end"


def cut(sock, data):
    """Sends in pieces of 1, 2, 3… bytes."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    offset, size = 0, 1
    while offset < len(data):
        sock.sendall(data[offset:offset + size])
        offset, size = offset + size, size + 1


def test_each_side_may_end_while_the_other_goes_on(carry):
    seen = {}

    def server_first(sock):
        sock.sendall(b"that is all")
        sock.shutdown(socket.SHUT_WR)
        seen["late"] = read_all(sock)[0]
    tls, _ = carry(server_first)
    activate(tls)
    hello = client_hello(tls.host)
    with socket.create_connection(("127.0.0.1", tls.service.https_port), timeout=30) as sock:
        sock.sendall(hello)
        assert read_all(sock) == (b"that is all", "end")
        for _ in range(50):
            sock.sendall(b"x" * 1000)
        sock.shutdown(socket.SHUT_WR)
        until("the server has it all", lambda: "late" in seen)
    assert seen["late"] == hello + b"x" * 50_000


def test_a_client_that_has_ended_still_gets_its_answer(carry):
    def answer_at_the_end(sock):
        data, _ = read_all(sock)
        sock.sendall(hashlib.sha256(data).digest() * 10_000)
    tls, _ = carry(answer_at_the_end)
    activate(tls)
    sent = client_hello(tls.host) + b"question"
    with socket.create_connection(("127.0.0.1", tls.service.https_port), timeout=30) as sock:
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        data, how = read_all(sock)
    assert data == hashlib.sha256(sent).digest() * 10_000 and how == "end"


@pytest.mark.seconds(180)
def test_a_hundred_mebibytes_each_way_in_bounded_memory(carry):
    block = os.urandom(MIB)

    def both(sock):
        head = read_exactly(sock, hello_count[0])
        reader = threading.Thread(target=lambda: received.append(digest_of(sock, 100 * MIB)))
        reader.start()
        for _ in range(100):
            sock.sendall(block)
        reader.join()
        assert head[:1] == b"\x16"
    received, hello_count = [], [0]
    tls, server = carry(both)
    activate(tls)
    hello = client_hello(tls.host)
    hello_count[0] = len(hello)
    before = peak_kib(tls.service.pid), peak_kib(tls.agent.pid)
    with socket.create_connection(("127.0.0.1", tls.service.https_port), timeout=60) as sock:
        sock.sendall(hello)
        got = []
        reader = threading.Thread(target=lambda: got.append(digest_of(sock, 100 * MIB)))
        reader.start()
        for _ in range(100):
            sock.sendall(block)
        reader.join()
        until("the server has it all", lambda: received)
    want = hashlib.sha256()
    for _ in range(100):
        want.update(block)
    assert got == [want.digest()] and received == [want.digest()] and not server.problems
    after = peak_kib(tls.service.pid), peak_kib(tls.agent.pid)
    assert after[0] - before[0] < 16 * 1024 and after[1] - before[1] < 16 * 1024, (before, after)


def digest_of(sock, count):
    digest = hashlib.sha256()
    while count:
        piece = sock.recv(min(1 << 18, count))
        if not piece:
            return f"cut off with {count} bytes to go"
        digest.update(piece)
        count -= len(piece)
    return digest.digest()


def test_a_reader_that_stalls_holds_up_its_own_server_and_nobody_else(carry):
    sent, name = [0], new_name()
    hello = client_hello(f"{name}.localhost")

    def pour(sock):
        read_exactly(sock, len(hello))
        if not sent[0]:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
            sock.settimeout(30)
            try:
                while True:
                    sent[0] += sock.send(b"\0" * 65536)
            except OSError:
                return
        sock.sendall(b"quick")
    tls, _ = carry(pour, name=name)
    activate(tls)
    before = peak_kib(tls.service.pid)
    stalled = socket.socket()
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
    stalled.connect(("127.0.0.1", tls.service.https_port))
    with stalled:
        stalled.sendall(hello)
        until("the server is held up", lambda: settled(sent))
        assert sent[0] < 16 * MIB
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", tls.service.https_port), timeout=10) as sock:
                sock.sendall(hello)
                assert sock.recv(5) == b"quick"
    assert peak_kib(tls.service.pid) - before < 8 * 1024


def settled(count):
    """Whether something has begun and then stood still for half a second."""
    seen = count[0]
    time.sleep(0.5)
    return seen > 0 and count[0] == seen


def test_an_agent_that_is_lost_ends_its_connections(carry):
    tls, _ = carry(hello_then_echo)
    activate(tls)
    with socket.create_connection(("127.0.0.1", tls.service.https_port), timeout=20) as sock:
        sock.sendall(client_hello(tls.host))
        assert sock.recv(5)[0] == 0x16
        tls.agent.kill()
        read_all(sock)


def test_a_deleted_tunnel_ends_its_connections(carry):
    tls, _ = carry(hello_then_echo)
    activate(tls)
    with socket.create_connection(("127.0.0.1", tls.service.https_port), timeout=20) as sock:
        sock.sendall(client_hello(tls.host))
        assert sock.recv(5)[0] == 0x16
        assert tls.service.call("DELETE", f"/api/v1/tunnels/{tunnel_id(tls.service, tls.name)}").status == 200
        read_all(sock)
    assert alert_for(tls.service.https_port, client_hello(tls.host)) == "internal_error"


def test_a_service_that_drains_ends_connections_and_itself(make_service, carry):
    own = make_service()
    tls, _ = carry(hello_then_echo, own_service=own)
    activate(tls)
    with socket.create_connection(("127.0.0.1", own.https_port), timeout=20) as sock:
        sock.sendall(client_hello(tls.host))
        assert sock.recv(5)[0] == 0x16
        own.terminate()
        read_all(sock)
    own.process.wait(20)
    assert own.process.returncode == 0


def test_a_connection_goes_on_when_the_service_is_taken_over_from(make_service, carry):
    own = make_service(env={"CULVERT_DRAIN_SECONDS": "3600"})
    tls, _ = carry(hello_then_echo, own_service=own)
    activate(tls)
    hello = client_hello(tls.host)
    with socket.create_connection(("127.0.0.1", own.https_port), timeout=30) as sock:
        sock.sendall(hello)
        assert read_exactly(sock, len(hello)) == hello
        before = own.take_over()
        until("the agent has moved", lambda: "The server moves this agent" in tls.agent.tail() and "Connected again" in tls.agent.tail())
        for number in range(50):
            word = b"still here %d" % number
            sock.sendall(word)
            assert read_exactly(sock, len(word)) == word
            # What is new comes by the successor, to the same agent.
            if number % 25 == 0:
                with socket.create_connection(("127.0.0.1", own.https_port), timeout=30) as late:
                    late.sendall(hello)
                    assert read_exactly(late, len(hello)) == hello
        assert before.poll() is None, "it left a connection behind"
    until("the process before has ended", lambda: before.poll() == 0)


def test_a_connection_ends_with_the_bound_of_the_service_before(make_service, carry):
    own = make_service(env={"CULVERT_DRAIN_SECONDS": "1", "CULVERT_DRAIN_IDLE_SECONDS": "0"})
    tls, _ = carry(hello_then_echo, own_service=own)
    activate(tls)
    hello = client_hello(tls.host)
    with socket.create_connection(("127.0.0.1", own.https_port), timeout=30) as sock:
        sock.sendall(hello)
        assert read_exactly(sock, len(hello)) == hello
        before = own.take_over()
        read_all(sock)
    until("the process before has ended", lambda: before.poll() == 0)


def test_clients_whose_tls_ends_here_lose_nothing_when_the_service_is_taken_over_from(make_service, make_tls):
    # By HTTP/1.1: over HTTP/2 this client takes every GOAWAY for a failure of the request that it is about to send.
    own, origin, gate = make_service(env={"CULVERT_DRAIN_SECONDS": "3600"}), Origin(), threading.Event()
    origin.on("/slow", lambda exchange: (gate.wait(60), exchange.answer(body="slow")))
    tls = make_tls(str(origin.port), own_service=own).up()
    answers = []
    with httpx.Client(verify=own.tls(), timeout=60) as client:
        def get(path):
            return client.get(f"https://127.0.0.1:{own.https_port}{path}", headers={"Host": tls.host}, extensions={"sni_hostname": tls.host})
        assert get("/first").status_code == 200
        slow = threading.Thread(target=lambda: answers.append(get("/slow").text))
        slow.start()
        until("the request is under way", lambda: "/slow" in origin.targets())
        before = own.take_over()
        until("the agent has moved", lambda: "Connected again" in tls.agent.tail())
        for number in range(30):
            assert get(f"/after-{number}").status_code == 200
        gate.set()
        slow.join(60)
        assert answers == ["slow"]
        until("the process before has ended", lambda: before.poll() == 0)
        assert get("/last").status_code == 200
    origin.close()


# WebSockets


def test_a_websocket_ends_tls_with_the_agent_too(make_tls):
    from test_websockets import Echo
    echo = Echo()
    tls = make_tls(str(echo.port)).up()
    with dial(f"ws://{tls.host}:{tls.service.https_port}/", subprotocols=["chat.v2"], compression=None, max_size=4 * MIB,
              sock=through_tls(tls.service.https_port, tls.service.tls(), tls.host)) as ws:
        assert ws.subprotocol == "chat.v2"
        for message in ("hello", "ünï", b"\0\1\2", b"z" * 300_000):
            ws.send(message)
            assert ws.recv() == message


# The command line


def test_the_wrong_mode_is_told(service, make_tls, origin, ended):
    edge = service.tunnel()
    tls = make_tls(str(origin.port), name=edge.name)
    assert tls.agent.process.wait(20) == 5
    assert "culvert http" in tls.agent.tail()
    out = ended.account.run("http", str(origin.port), "--name", ended.name)
    assert out.returncode == 5 and "culvert tls" in out.stderr


def test_a_key_that_others_can_read_is_not_used(ended, origin):
    ended.agent.stop()
    ended.state("key").chmod(0o644)
    out = ended.account.run("tls", str(origin.port), "--name", ended.name)
    assert out.returncode != 0 and "chmod 600" in out.stderr


def test_a_refused_request_is_told(make_service, make_tls, origin):
    own = make_service(limits={}, env={"CULVERT_LIMIT_CSR_SIGNINGS_PER_DAY": "1"})
    tls = make_tls(str(origin.port), own_service=own).up()
    tls.agent.stop()
    tls.state("crt").unlink()
    out = tls.account.run("tls", str(origin.port), "--name", tls.name)
    assert out.returncode == 6 and "certificate" in out.stderr, out


@pytest.mark.parametrize("words", [(), ("3000", "--tls-passthrough-to", "127.0.0.1:8443"), ("--tls-passthrough-to", "localhost"),
                                   ("--tls-passthrough-to", "192.0.2.7:443")])
def test_what_cannot_be_meant_is_told(service, tmp_path, words):
    out = Account(tmp_path, service).run("tls", *words)
    assert out.returncode == 2 and out.stderr, out


def test_a_tls_server_of_ones_own_needs_a_certificate_first(carry):
    tls, _ = carry(hello_then_echo)
    assert tls.agent.process.wait(20) == 5
    assert "sign-csr" in tls.agent.tail()


def test_json_tells_of_carried_connections(carry):
    tls, _ = carry(hello_then_echo)
    tls.agent.process.wait(20)
    assert tls.account.run("sign-csr", tls.name, "--out", str(tls.account.folder)).returncode == 0
    tls.agent = Agent(tls.account, "tls", *tls.agent.command[2:], "--json")
    events = iter(lambda: json.loads(tls.agent.url()), None)
    next(e for e in events if e["event"] == "connected")
    hello = client_hello(tls.host)
    with socket.create_connection(("127.0.0.1", tls.service.https_port), timeout=20) as sock:
        sock.sendall(hello)
        sock.shutdown(socket.SHUT_WR)
        assert read_all(sock) == (hello, "end")
    told = next(e for e in events if e["event"] == "connection")["connection"]
    assert (told["server_name"], told["client_address"]) == (tls.host, "127.0.0.1")
    assert told["received_bytes"] == told["sent_bytes"] == len(hello)


def test_a_stranger_is_told_by_an_alert_and_never_reaches_the_server(carry):
    reached = threading.Event()
    tls, _ = carry(lambda sock: reached.set())
    tls.agent.process.wait(20)
    assert tls.account.run("sign-csr", tls.name, "--out", str(tls.account.folder)).returncode == 0
    tls.agent = Agent(tls.account, "tls", *tls.agent.command[2:], "--allow-from", "192.0.2.0/24")
    tls.up()
    assert alert_for(tls.service.https_port, client_hello(tls.host)) == "access_denied"
    until("the refusal is told", lambda: "refused: address-not-allowed" in tls.agent.tail())
    assert not reached.is_set()


@pytest.mark.parametrize("option", ["--host-header", "--request-header", "--response-header", "--basic-auth-file"])
def test_rules_for_what_nobody_reads_are_refused(service, tmp_path, option):
    out = Account(tmp_path, service).run("tls", "--tls-passthrough-to", "127.0.0.1:8443", option, "X-A: b")
    assert out.returncode == 2 and option in out.stderr and "--allow-from" in out.stderr, out


def test_what_http_has_tls_has_too(make_tls, origin, tmp_path):
    file = tmp_path / "url"
    tls = make_tls(str(origin.port), "--url-file", str(file), "--quiet", "--response-header", "X-Rule: kept").up()
    until("the file is there", file.exists)
    assert file.read_text() == f"https://{tls.host}:{tls.service.https_port}\n"
    assert ask(tls, "GET", "/quiet", True).headers["x-rule"] == "kept"
    tls.agent.stop()
    assert not file.exists() and tls.agent.tail() == ""


def test_a_server_that_gets_the_bytes_is_told_as_what_it_is(carry):
    tls, server = carry(hello_then_echo)
    activate(tls)
    until("it is told", lambda: f"TLS connections go, as they are, to 127.0.0.1:{server.port}." in tls.agent.tail())
    assert "http://" not in tls.agent.tail()


def test_agents_that_share_a_tunnel_end_tls_each_with_its_own_key(make_tls, service, origin, tmp_path_factory):
    first = make_tls(str(origin.port), "--shared").up()
    home = tmp_path_factory.mktemp("other")
    shutil.copytree(first.account.folder / "state", home / "state")
    for file in [*home.rglob("*.key"), *home.rglob("*.crt")]:
        file.unlink()
    second = Agent(Account(home, service), "tls", str(origin.port), "--shared", "--name", first.name)
    try:
        assert second.url()
        keys = {certificate(first) for _ in range(6)}
        assert len(keys) == 2, "only one of them is asked"
        first.agent.stop()
        assert ask(first, "GET", "/after", True).status_code == 200
    finally:
        second.kill()


def certificate(tls):
    with tls.connect() as sock:
        return sock.getpeercert(binary_form=True)


# Renewal


def test_a_certificate_is_renewed_while_the_agent_runs(make_service, make_tls, origin, tmp_path):
    """The clock of service and agent moves on by 61 of 90 days; an open connection goes on, a new one has the new certificate."""
    clock = WallClock(tmp_path)
    own = make_service(env=clock.environment)
    tls = make_tls(str(origin.port), own_service=own, clock=clock).up()
    with tls.connect(alpn=["http/1.1"]) as old:
        first = old.getpeercert(binary_form=True)
        assert again(old, tls) == 200
        clock.move(61 * DAY)
        until("the certificate was renewed", lambda: "The certificate was" in tls.agent.tail(), seconds=40)
        assert "The certificate was renewed" in tls.agent.tail(), tls.agent.tail()
        assert again(old, tls) == 200
    # To this process the new certificate is one of the future.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(socket.create_connection(("127.0.0.1", own.https_port)), server_hostname=tls.host) as new:
        second = new.getpeercert(binary_form=True)
        assert again(new, tls) == 200
    before, after = (x509.load_der_x509_certificate(c) for c in (first, second))
    assert after.not_valid_before_utc > before.not_valid_before_utc + 60 * DAY
    assert after.public_key().public_numbers() == before.public_key().public_numbers()
    kept = x509.load_pem_x509_certificate(tls.state("crt").read_bytes())
    assert kept.serial_number == after.serial_number


def again(sock, tls):
    """One more request on the connection; its status."""
    sock.sendall(f"HEAD / HTTP/1.1\r\nHost: {tls.host}\r\n\r\n".encode())
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(65536)
    return int(data.split()[1])
