"""How the connections of the published SDKs end and begin again: superseding, restarts, drains, deletions, rotations."""
import shutil
import threading

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as dial

from support.processes import new_name
from support.sdks import VERSIONS, Sdk
from support.shared_tls import through_tls
from support.waiting import until
from test_identities import Identity


@pytest.fixture
def publish(origin, tmp_path_factory):
    """publish(service, version) -> an SDK's agent, connected; with `again` another one of that one's tunnel."""
    made = []

    def make(service, version, again=None, target=None, **options):
        folder = tmp_path_factory.mktemp("sdk")
        if again:
            shutil.copytree(again.folder / "state", folder / "state")
            options["name"] = again.name
        made.append(Sdk(service, folder, version, target or f"http://127.0.0.1:{origin.port}", **options))
        return made[-1]
    yield make
    for sdk in made:
        sdk.kill()


class Held:
    """A request that the local program holds until it is released."""

    def __init__(self, origin, service, host):
        self.began, self.release = threading.Event(), threading.Event()

        def script(e):
            self.began.set()
            assert self.release.wait(60)
            e.answer(200, [], "answered")
        path = f"/held-{new_name()}"
        origin.on(path, script)
        self.wire = service.plain(timeout=60).request("GET", path, host)
        assert self.began.wait(20)


# Superseding


def test_the_newer_sdk_stops_for_good_and_what_it_had_taken_is_502(make_service, publish, origin):
    service = make_service()
    first = publish(service, "0.7.20")
    held = Held(origin, service, first.host)
    second = publish(service, "0.7.20", again=first)
    answer = held.wire.response()
    assert (answer.status, answer.reason) == (502, "agent-disconnected")
    first.wait("status superseded")
    first.wait("ended")
    assert first.process.wait(20) != 0, "its program is told that it was not the end that it wanted"
    assert service.get(second.host, "/after").status == 200
    held.release.set()


@pytest.mark.seconds(300)
def test_two_older_sdks_that_evict_each_other_are_calmed_down_and_audited_once(make_service, publish):
    """0.3.0 connects again after every GOAWAY; after five takeovers in a minute the challenger has to wait."""
    service = make_service()
    first = publish(service, "0.3.0")
    publish(service, "0.3.0", again=first)
    until("a challenger is refused", lambda: "tunnel.superseded.refused" in service.tail(), 120)
    connections = service.tail().count(" tunnel.connected ")
    until("it is refused again", lambda: service.tail().count("tunnel.superseded.refused") >= 2, 120)
    for number in range(5):
        assert service.get(first.host, f"/calm{number}").status == 200
    assert service.tail().count(" tunnel.connected ") == connections
    query = f"/api/v1/audit-events?action=tunnel.supersede&resource={first.tunnel_id}"
    lines = until("the trail tells of it", lambda: service.call("GET", query).json()["audit_events"])
    assert [(line["outcome"], line["ip"]) for line in lines] == [("refused", "127.0.0.1")]


# Restarts and drains


@pytest.mark.parametrize("version", VERSIONS)
def test_an_sdk_is_back_after_the_service_was_killed(make_service, publish, version):
    service = make_service()
    sdk = publish(service, version)
    assert service.get(sdk.host, "/before").status == 200
    service.kill()
    sdk.wait("status reconnecting")
    service.start()
    sdk.wait("status connected", 60)
    assert service.get(sdk.host, "/after").status == 200


@pytest.mark.parametrize("version", VERSIONS)
def test_sigterm_answers_what_is_in_flight(make_service, publish, origin, version):
    service = make_service()
    sdk = publish(service, version)
    held = Held(origin, service, sdk.host)
    service.terminate()
    until("it drains", lambda: "service.draining" in service.tail())
    assert service.process.poll() is None, "it ended with a request in flight"
    held.release.set()
    answer = held.wire.response()
    assert (answer.status, answer.body) == (200, b"answered")
    assert service.process.wait(40) == 0, service.tail()
    service.start()
    until("the SDK is back", lambda: service.get(sdk.host, "/after").status == 200, 60)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_drain_ends_websockets_with_4500_at_both_ends(make_service, publish, version):
    service = make_service()
    sdk = publish(service, version, target="asgi")
    with dial(f"ws://{sdk.host}:{service.https_port}/", sock=through_tls(service.https_port, service.tls(), sdk.host),
              open_timeout=20, compression=None) as ws:
        ws.send("up")
        assert ws.recv(timeout=20) == "up"
        service.terminate()
        with pytest.raises(ConnectionClosed) as e:
            ws.recv(timeout=30)
        assert e.value.rcvd.code == 4500, e.value
        sdk.wait("closed 4500")
    assert service.process.wait(40) == 0, service.tail()


# Deleting, revoking, rotating


@pytest.mark.parametrize("version", VERSIONS)
def test_a_deleted_tunnel_ends_its_sdk_for_good(make_service, publish, version):
    service = make_service()
    sdk = publish(service, version)
    owner = f"/api/v1/identities/{sdk.name}" if version == "0.7.20" else f"/api/v1/tunnels/{sdk.tunnel_id}"
    assert service.call("DELETE", owner).status in (200, 204)
    assert "40" in sdk.wait("ended", 60), "it must end because its hello is refused"
    assert sdk.process.wait(20) != 0


def test_a_rotated_secret_leaves_the_older_sdk_alone_and_refuses_its_next_hello(make_service, publish):
    service = make_service()
    sdk = publish(service, "0.3.0")
    assert service.call("POST", f"/api/v1/tunnels/{sdk.tunnel_id}/rotate-secret").status == 200
    for number in range(10):
        assert service.get(sdk.host, f"/{number}").status == 200
    service.stop()
    service.start()
    assert "401" in sdk.wait("ended", 60)


def test_a_revoked_key_ends_the_newer_sdk_for_good(make_service, publish):
    service = make_service()
    identity = Identity(service)
    sdk = publish(service, "0.7.20", name=identity.handle, key=identity.key)
    assert service.get(sdk.host, "/before").status == 200
    assert service.call("DELETE", f"/api/v1/api-keys/{identity.key_id}").status == 204
    assert "401" in sdk.wait("ended", 60)
    assert sdk.process.wait(20) != 0
