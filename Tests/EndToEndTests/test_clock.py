"""Windows, grace and validity run on the wall clock, exactly to the second; nothing else minds where its hands stand."""
import socket
import ssl
import uuid
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from support.clock import DAY, SECOND, WallClock, moment
from support.organizations import Organization, bearer
from support.processes import Service, new_name


@pytest.fixture
def clock(tmp_path):
    return WallClock(tmp_path)


@pytest.fixture
def service(clock, tmp_path):
    """A service with the documented limits, on the test's clock."""
    own = Service(tmp_path / "service", env=clock.environment, limits={})
    own.folder.mkdir()
    yield own.init().start()
    own.kill()


def create(service, name=None, **options):
    return service.call("POST", "/api/v1/tunnels", {"tunnel_name": name or new_name(), **options.pop("members", {})}, **options)


def rotate(service, tunnel, **options):
    return service.call("POST", f"/api/v1/tunnels/{tunnel.id}/rotate-secret", **options)


def sign(service, tunnel):
    key = ec.generate_private_key(ec.SECP256R1())
    csr = (x509.CertificateSigningRequestBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, tunnel.host)]))
           .add_extension(x509.SubjectAlternativeName([x509.DNSName(tunnel.host)]), False).sign(key, hashes.SHA256()))
    pem = csr.public_bytes(serialization.Encoding.PEM).decode()
    return service.call("POST", f"/api/v1/tunnels/{tunnel.id}/sign-csr", {"csr_pem": pem})


def test_the_service_goes_by_this_clock(service, clock):
    assert moment(service.tunnel().json["created_at"]) == clock.now
    clock.move(timedelta(days=400))
    assert moment(service.tunnel().json["created_at"]) == clock.now


@pytest.mark.parametrize("hours", [1, 168])
def test_a_rotated_key_is_good_until_its_overlap_ends_and_not_a_second_longer(service, clock, hours):
    answer = service.call("POST", "/api/v1/identities", {"agent_handle": new_name()}).json()
    old = service.call("POST", "/api/v1/api-keys", {"label": "k", "scoped_identity_id": answer["id"]}).json()
    new = service.call("POST", f"/api/v1/api-keys/{old['record']['id']}/rotate", {"overlap_hours": hours}).json()
    end = moment(new["replaced_record"]["expires_at"])
    assert end == clock.now + timedelta(hours=hours)
    for step, status in ((timedelta(hours=hours) - SECOND, 200), (SECOND, 401)):
        clock.move(step)
        assert service.call("GET", "/api/whoami", key=old["api_key"]).status == status
        assert service.call("GET", "/api/whoami", key=new["api_key"]).status == 200


def test_a_deleted_tunnel_comes_back_for_24_hours_and_not_a_second_longer(service, clock):
    early, late, gone = [service.tunnel() for _ in range(3)]
    for tunnel in (early, late, gone):
        answer = service.call("DELETE", f"/api/v1/tunnels/{tunnel.id}").json()
        assert moment(answer["restore_deadline_at"]) == clock.now + DAY
    clock.move(DAY - SECOND)
    assert service.call("POST", f"/api/v1/tunnels/{early.id}/restore").json()["status"] == "active"
    assert service.call("GET", f"/api/v1/tunnels/{late.id}").json()["status"] == "delete_pending"
    assert create(service, late.name).status == 409
    clock.move(SECOND)
    assert service.call("POST", f"/api/v1/tunnels/{late.id}/restore").status == 409
    assert service.call("GET", f"/api/v1/tunnels/{late.id}").status == 404
    assert service.call("DELETE", f"/api/v1/tunnels/{late.id}").status == 404
    assert create(service, late.name).status == 201
    clock.move(SECOND)
    assert create(service, gone.name).status == 201
    assert service.call("GET", f"/api/v1/tunnels/{early.id}").json()["status"] == "active"


def test_ten_tunnels_in_any_24_hours(service, clock):
    first = clock.now
    for _ in range(10):
        assert create(service).status == 201
        clock.move(timedelta(hours=1))
    clock.set(first + DAY - SECOND)
    refused = create(service)
    assert (refused.status, refused.header("retry-after")) == (429, "1")
    clock.set(first + DAY)
    assert create(service).status == 201
    refused = create(service)
    assert (refused.status, refused.header("retry-after")) == (429, "3600")
    clock.set(first + DAY + timedelta(hours=1) + SECOND)
    assert [create(service).status for _ in range(2)] == [201, 429]


def test_five_rotations_in_any_24_hours(service, clock):
    tunnel, first = service.tunnel(), clock.now
    assert [rotate(service, tunnel).status for _ in range(6)] == [200] * 5 + [429]
    clock.set(first + DAY - SECOND)
    refused = rotate(service, tunnel)
    assert (refused.status, refused.header("retry-after")) == (429, "1")
    clock.set(first + DAY + SECOND)
    assert [rotate(service, tunnel).status for _ in range(6)] == [200] * 5 + [429]


def test_ten_signatures_in_any_24_hours(service, clock):
    tunnel, first = service.tunnel(tls_mode="passthrough"), clock.now
    assert [sign(service, tunnel).status for _ in range(11)] == [200] * 10 + [429]
    clock.set(first + DAY - SECOND)
    refused = sign(service, tunnel)
    assert (refused.status, refused.header("retry-after")) == (429, "1")
    clock.set(first + DAY + SECOND)
    assert [sign(service, tunnel).status for _ in range(11)] == [200] * 10 + [429]


def test_three_attempts_to_rotate_a_key_in_any_15_minutes(service, clock):
    home = Organization(service, service.org, service.key)
    key, first, window = home.identity_key(home.identity()), clock.now, timedelta(minutes=15)

    def attempt(secret="wrong", api_key=key["api_key"]):
        return service.call("POST", "/v1/agents/self/rotate-key", {"rotationSecret": secret}, key=None, headers=bearer(api_key))

    assert [attempt().status for _ in range(4)] == [401] * 3 + [429]
    clock.set(first + window - SECOND)
    refused = attempt(key["rotation_secret"])
    assert (refused.status, refused.header("retry-after")) == (429, "1")
    clock.set(first + window)
    assert attempt(key["rotation_secret"]).status == 200


def test_a_key_counts_until_its_last_second(service, clock):
    home = Organization(service, service.org, service.key)
    end = clock.now + DAY
    key = home.identity_key(home.identity(), expires_at=end.strftime("%Y-%m-%dT%H:%M:%SZ"))["api_key"]
    for now, status in ((end - SECOND, 200), (end, 401), (end + SECOND, 401)):
        clock.set(now)
        assert service.call("GET", "/api/v1/whoami", key=key).status == status


def test_an_answer_is_kept_for_24_hours(service, clock):
    tunnel, key, name = service.tunnel(), uuid.uuid4().hex, new_name()
    made = create(service, name, headers={"Idempotency-Key": key})
    secret = rotate(service, tunnel, headers={"Idempotency-Key": key + "r"}).body
    clock.move(DAY - SECOND)
    again = create(service, name, headers={"Idempotency-Key": key})
    assert (again.status, again.body, again.header("idempotency-replayed")) == (201, made.body, "true")
    assert rotate(service, tunnel, headers={"Idempotency-Key": key + "r"}).body == secret
    clock.move(SECOND)
    anew = rotate(service, tunnel, headers={"Idempotency-Key": key + "r"})
    assert (anew.status, anew.header("idempotency-replayed")) == (200, None) and anew.body != secret
    clock.move(SECOND)
    assert create(service, name, headers={"Idempotency-Key": key}).status == 409
    assert create(service, headers={"Idempotency-Key": key + "x"}).status == 201


@pytest.mark.parametrize("late, status", [(-SECOND, "active"), (SECOND, "awaiting_cert")])
def test_a_restored_passthrough_tunnel_is_active_while_its_certificate_is_valid(service, clock, late, status):
    tunnel = service.tunnel(tls_mode="passthrough")
    expiry = moment(sign(service, tunnel).json()["cert_expires_at"])
    assert expiry == clock.now + 90 * DAY
    clock.set(expiry - timedelta(hours=12))
    assert service.call("DELETE", f"/api/v1/tunnels/{tunnel.id}").json()["status"] == "delete_pending"
    clock.set(expiry + late)
    assert service.call("POST", f"/api/v1/tunnels/{tunnel.id}/restore").json()["status"] == status


def test_what_counted_before_a_restart_counts_after_it(service, clock):
    tunnel, first = service.tunnel(), clock.now
    assert [rotate(service, tunnel).status for _ in range(6)] == [200] * 5 + [429]
    service.stop()
    clock.set(first + DAY - SECOND)
    service.start()
    assert rotate(service, tunnel).status == 429
    clock.set(first + DAY)
    assert rotate(service, tunnel).status == 200


@pytest.mark.parametrize("jump", [-DAY, 60 * DAY, 90 * DAY, 400 * DAY], ids=["a day back", "60 days on", "90 days on", "400 days on"])
def test_the_certificate_served_is_valid_by_the_services_clock(service, clock, jump):
    tunnel = service.tunnel()

    def served():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", service.https_port), 20) as tcp, context.wrap_socket(tcp, server_hostname=tunnel.host) as tls:
            return x509.load_der_x509_certificate(tls.getpeercert(binary_form=True))

    for by in (DAY, jump):  # the service was made a day ago: nothing it signs is older than its authority
        clock.move(by)
        certificate = served()
        assert certificate.not_valid_before_utc <= clock.now < certificate.not_valid_after_utc


@pytest.mark.parametrize("jump", [-DAY, -timedelta(hours=1), 90 * DAY], ids=["a day back", "an hour back", "90 days on"])
def test_when_the_clock_jumps_traffic_and_the_control_plane_go_on(service, clock, make_route, jump):
    route = make_route(service)
    with service.plain() as wire:
        assert wire.request("GET", "/before", route.host).response().status == 200
        old, pending = service.tunnel(), service.tunnel()
        assert service.call("DELETE", f"/api/v1/tunnels/{pending.id}").status == 200
        before = service.call("GET", f"/api/v1/tunnels/{old.id}").json()
        connected = [t for t in service.call("GET", "/api/v1/tunnels").json()["tunnels"] if t["tunnel_name"] == route.name][0]
        secret = rotate(service, old, headers={"Idempotency-Key": "jump"}).body
        clock.move(jump)
        assert wire.request("GET", "/after", route.host).response().status == 200, "the third party's connection lives on"
    assert route.get("/anew").status == 200
    now = service.call("GET", f"/api/v1/tunnels/{connected['id']}").json()
    assert now["currently_connected"] and now["last_connected_at"] == connected["last_connected_at"], "the agent was not thrown out"
    changed = service.call("PATCH", f"/api/v1/tunnels/{old.id}", {"description": "after"}).json()
    assert changed["updated_at"] >= before["updated_at"] and changed["created_at"] == before["created_at"]
    assert service.tunnel().json["status"] == "active"
    again = rotate(service, old, headers={"Idempotency-Key": "jump"})
    restored = service.call("POST", f"/api/v1/tunnels/{pending.id}/restore").status
    if jump < timedelta(0):
        assert (again.header("idempotency-replayed"), again.body == secret, restored) == ("true", True, 200)
    else:
        assert (again.header("idempotency-replayed"), again.body == secret, restored) == (None, False, 409)
    service.stop()
    service.start()
    assert service.call("GET", f"/api/v1/tunnels/{old.id}").json()["description"] == "after"
