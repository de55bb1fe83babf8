"""Names, certificates, and who may be asked for on which connection."""
import socket
import ssl

import pytest
from cryptography import x509

from support.http2 import H2Party
from support.processes import new_name
from support.waiting import until


def test_the_certificate_names_the_host_and_chains_to_the_ca(route, service):
    with service.secure(route.host) as wire:
        certificate = x509.load_der_x509_certificate(wire.sock.getpeercert(binary_form=True))
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
        assert names == [route.host]
        assert wire.request("GET", "/", route.host).response().status == 200


def test_each_host_keeps_its_certificate(make_service):
    service = make_service()
    host = service.tunnel().host

    def serial():
        with service.secure(host) as wire:
            return x509.load_der_x509_certificate(wire.sock.getpeercert(binary_form=True)).serial_number
    first = serial()
    assert serial() == first
    assert serial() == first


def test_the_zone_itself_has_one_too(service):
    with service.secure("localhost") as wire:
        assert wire.request("GET", "/healthz", "localhost").response().status == 200


def test_an_unknown_name_of_the_zone_gets_the_page(service):
    host = new_name() + ".localhost"
    with service.secure(host, check_hostname=False) as wire:
        answer = wire.request("GET", "/", host).response()
        assert (answer.status, answer.reason) == (404, "no-such-tunnel")


def test_a_foreign_name_gets_the_alert(service):
    with pytest.raises(ssl.SSLError) as e:
        service.secure("www.example.org", check_hostname=False)
    assert "UNRECOGNIZED_NAME" in str(e.value).upper().replace(" ", "_")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3(route, service, version):
    context = service.tls()
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", service.https_port), 10) as raw, context.wrap_socket(raw, server_hostname=route.host) as s:
        assert s.version() == {ssl.TLSVersion.TLSv1_2: "TLSv1.2", ssl.TLSVersion.TLSv1_3: "TLSv1.3"}[version]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1")
def test_tls_1_1_is_refused(route, service):
    context = service.tls(check_hostname=False)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", service.https_port), 10) as raw, pytest.raises(OSError):
        context.wrap_socket(raw, server_hostname=route.host)


def test_a_session_is_resumed(route, service):
    context = service.tls()
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # the session is there right after the handshake
    session = None
    for reused in (False, True):
        with socket.create_connection(("127.0.0.1", service.https_port), 10) as raw:
            with context.wrap_socket(raw, server_hostname=route.host, session=session) as s:
                assert s.session_reused == reused
                session = s.session


def test_a_session_of_one_tenant_opens_no_other(route, service):
    """A ticket must not carry a connection into another host."""
    other = service.tunnel()
    context = service.tls()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", service.https_port), 10) as raw, context.wrap_socket(raw, server_hostname=route.host) as s:
        session = s.session
    with socket.create_connection(("127.0.0.1", service.https_port), 10) as raw:
        try:
            with context.wrap_socket(raw, server_hostname=other.host, session=session) as s:
                s.sendall(f"GET / HTTP/1.1\r\nHost: {route.host}\r\nConnection: close\r\n\r\n".encode())
                assert b" 421 " in s.recv(4096).split(b"\r\n")[0] + b" "
        except ssl.SSLError:
            pass  # refused in the handshake: as good


def test_another_host_on_this_connection_is_421(route, service):
    other = service.tunnel()
    before = len(route.origin.targets())
    with service.secure(other.host) as wire:
        assert wire.request("GET", "/stolen", route.host).response().status == 421
    with service.secure(other.host) as wire:
        wire.send(f"GET https://{route.host}/stolen HTTP/1.1\r\nHost: {route.host}\r\n\r\n")
        assert wire.response().status == 421
    assert len(route.origin.targets()) == before


def test_another_authority_on_an_http2_connection_is_421(route, service):
    other = service.tunnel()
    with H2Party(service, other.host) as party:
        assert party.request("GET", "/stolen", authority=route.host).status == 421
        assert party.request("GET", "/own").status == 502, "the connection itself is well"
    assert "/stolen" not in route.origin.targets()


def test_the_api_is_not_on_a_tunnels_connection(route, service):
    with service.secure(route.host) as wire:
        assert wire.request("GET", "/api/v1/tunnels", "localhost", [("X-API-Key", service.key)]).response().status == 421
    saw = route.get("/api/v1/tunnels").json()
    assert saw["target"] == "/api/v1/tunnels", "a tunnel's host owns all its paths"


@pytest.mark.parametrize("host", ["{upper}", "{host}:{port}", "{host}."])
def test_spellings_of_one_host(route, service, host):
    spelled = host.format(upper=route.host.upper(), host=route.host, port=service.http_port)
    answer = service.get(spelled, "/spelled")
    assert answer.status == 200 or host == "{host}." and answer.status in (400, 404, 421)


def test_plain_text_is_served_on_loopback(route):
    assert route.get("/plain").status == 200


def test_plain_text_elsewhere_only_redirects(make_service, make_route):
    service = make_service(start=False)
    service.arguments = []
    command = service.command()
    service.command = lambda: [w.replace(f"127.0.0.1:{service.http_port}", f"0.0.0.0:{service.http_port}") for w in command]
    import subprocess
    service.process = subprocess.Popen(service.command(), stdin=subprocess.DEVNULL, stdout=service.log.open("ab"), stderr=subprocess.STDOUT, env=service.env)

    def is_up():
        assert service.process.poll() is None, service.tail()
        try:
            with service.secure("localhost") as wire:
                return wire.request("GET", "/readyz", "localhost").response().status == 200
        except OSError:
            return False
    until("ready", is_up)
    answer = service.get("name.localhost", "/p?q=1")
    assert answer.status in (301, 302, 307, 308)
    assert answer.header("location").startswith("https://name.localhost") and answer.header("location").endswith("/p?q=1")


def split(data, at):
    return [data[i:i + at] for i in range(0, len(data), at)]


def test_a_client_hello_in_small_pieces(route, service):
    """One TLS hello, a few bytes a segment."""
    context = service.tls()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=route.host)
    with socket.create_connection(("127.0.0.1", service.https_port), 10) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                for piece in split(outgoing.read(), 7):
                    raw.sendall(piece)
                incoming.write(raw.recv(65536))
        raw.sendall(outgoing.read())
        assert tls.getpeercert()["subjectAltName"] == (("DNS", route.host),)


@pytest.mark.parametrize("data", [b"\x16\x03\x01\xff\xff" + b"\x01" * 200, b"\x16\x03\x01\x00\x05\x01\x00\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n",
                                  b"\x80\x2e\x01\x00\x02" + b"\0" * 64, b"SSH-2.0-x\r\n" * 10])
def test_other_protocols_on_the_tls_port_end_soon(service, data):
    with service.plain() as wire:
        pass
    with socket.create_connection(("127.0.0.1", service.https_port), 20) as raw:
        raw.sendall(data)
        raw.shutdown(socket.SHUT_WR)
        try:
            while raw.recv(4096):
                pass
        except ConnectionError:
            pass
