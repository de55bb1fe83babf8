"""Events as they happen: GET /api/v1/events from outside."""
import re

import httpx
import pytest

from support.sse import Listener
from support.waiting import until

PATH = "/api/v1/events"


def change(service, tunnel, text):
    answer = service.call("PATCH", f"/api/v1/tunnels/{tunnel.id}", {"description": text})
    assert answer.status == 200


@pytest.fixture
def own(make_service):
    """A service of the test's own: the events of the shared one are everybody's."""
    return make_service()


def test_the_life_of_a_tunnel_is_told_as_it_happens(own):
    with Listener(own) as listener:
        assert listener.head.status == 200
        assert listener.head.header("content-type") == "text/event-stream"
        assert listener.head.header("cache-control") == "no-store"
        tunnel = own.tunnel()
        path = f"/api/v1/tunnels/{tunnel.id}"
        change(own, tunnel, "a\nb")
        own.call("POST", path + "/rotate-secret")
        own.call("DELETE", path)
        own.call("POST", path + "/restore")
        own.call("DELETE", path)
        own.call("DELETE", path + "/force")
        events = listener.take(7)
    assert [e.type for e in events] == [
        "tunnel.created", "tunnel.updated", "secret.rotated", "tunnel.delete_pending", "tunnel.restored",
        "tunnel.delete_pending", "tunnel.deleted"]
    numbers = [int(e.id) for e in events]
    assert numbers == sorted(set(numbers))
    assert listener.parser.retry == 2000
    for event in events:
        body = event.json
        assert set(body) == {"id", "type", "occurred_at", "organization_id", "identity_id", "tunnel_id", "data"}
        assert (body["type"], body["organization_id"], body["tunnel_id"]) == (event.type, own.org, tunnel.id)
        assert body["data"]["tunnel_name"] == tunnel.name
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", body["occurred_at"])
        assert tunnel.secret not in event.text
    assert len({e.json["id"] for e in events}) == 7


def test_agents_come_take_over_and_go(own, connect):
    tunnel = own.tunnel()
    with Listener(own, "?types=tunnel.connected,tunnel.superseded,tunnel.disconnected") as listener:
        first = connect(own, tunnel)
        assert listener.next().type == "tunnel.connected"
        second = connect(own, tunnel)
        assert [e.type for e in listener.take(2)] == ["tunnel.superseded", "tunnel.connected"]
        first.close()
        second.close()
        last = listener.next()
        assert (last.type, last.json["tunnel_id"]) == ("tunnel.disconnected", tunnel.id)


def test_nothing_is_lost_or_doubled_over_a_kill_and_a_restart(own):
    tunnel = own.tunnel()
    with Listener(own) as listener:
        change(own, tunnel, "1")
        seen = listener.next()
        change(own, tunnel, "2")
        listener.next()
    own.kill()
    own.start()
    change(own, tunnel, "3")
    with Listener(own, last_id=seen.id) as listener:
        change(own, tunnel, "4")
        again = listener.take(3)
    assert [e.type for e in again] == ["tunnel.updated"] * 3
    assert int(again[0].id) > int(seen.id)
    ids = [int(e.id) for e in again]
    assert ids == sorted(set(ids))


def test_several_listeners_hear_the_same(own):
    listeners = [Listener(own) for _ in range(5)]
    tunnel = own.tunnel()
    heard = [listener.next() for listener in listeners]
    assert {(e.id, e.text) for e in heard} == {(heard[0].id, heard[0].text)}
    assert heard[0].json["tunnel_id"] == tunnel.id
    for listener in listeners:
        listener.wire.close()


def test_over_http2_too(own):
    with httpx.Client(http2=True, verify=own.tls(), timeout=20) as client:
        with client.stream("GET", f"https://localhost:{own.https_port}{PATH}", headers={"X-API-Key": own.key}) as answer:
            assert answer.http_version == "HTTP/2" and answer.status_code == 200
            assert "content-length" not in answer.headers
            lines = answer.iter_lines()
            assert next(lines) == "retry: 2000"
            own.tunnel()
            assert next(line for line in lines if line.startswith("event:")) == "event: tunnel.created"


def test_silence_is_broken_by_comments_that_move_the_place(make_service):
    own = make_service(env={"CULVERT_EVENT_SILENCE_SECONDS": "1"})
    with Listener(own, "?types=cert.*") as listener:
        own.tunnel()
        until("a comment has come", lambda: listener.parser.comments >= 2)
        until("the place has moved", lambda: listener.parser.last_id == "1")
        assert listener.events.empty()


def test_a_log_that_does_not_reach_back_says_so_first(make_service):
    own = make_service(env={"CULVERT_LIMIT_EVENTS_PER_ORGANIZATION": "2"})
    tunnel = own.tunnel()
    for number in range(5):
        change(own, tunnel, str(number))
    own.stop()
    # Upkeep runs at the start.
    own.start()

    def first():
        with Listener(own, last_id="1") as listener:
            return listener.next()
    until("the oldest are forgotten", lambda: first().type == "log.truncated")
    gap = first()
    assert gap.json["data"] == {"reason": "forgotten", "last_event_id": "1"}
    with Listener(own, last_id=gap.id) as listener:
        assert [e.type for e in listener.take(2)] == ["tunnel.updated"] * 2


def test_an_id_that_never_was(own):
    own.tunnel()
    with Listener(own, last_id="4711") as listener:
        gap = listener.next()
        assert (gap.type, gap.id, gap.json["data"]["reason"]) == ("log.truncated", "1", "unknown_id")
        own.tunnel()
        assert listener.next().id == "2"


def test_a_stream_too_many(make_service):
    own = make_service(env={"CULVERT_LIMIT_EVENT_STREAMS_PER_ORGANIZATION": "2"})
    held = [Listener(own), Listener(own)]
    assert own.call("GET", PATH).status == 429
    held.pop().wire.close()

    def is_admitted():
        with Listener(own, reads=False) as listener:
            return listener.head.status == 200
    until("the place is free again", is_admitted)
    held.pop().wire.close()


@pytest.mark.parametrize("query, header, status", [
    ("?types=nothing", None, 422), ("?last_event_id=x", None, 422), ("", "-1", 422), ("?last_event_id=&types=*", None, 200), ("", "", 200)])
def test_what_is_asked_for_wrongly(service, query, header, status):
    with Listener(service, query, last_id=header, reads=False) as listener:
        assert listener.head.status == status


def test_strangers_hear_nothing(service):
    with Listener(service, key="ApiKey_wrong", reads=False) as listener:
        assert listener.head.status == 401
    assert service.call("POST", PATH, {}).status == 405


def test_streams_end_when_the_service_drains(make_service):
    own = make_service()
    listener = Listener(own)
    own.tunnel()
    assert listener.next().type == "tunnel.created"
    own.terminate()
    assert listener.next() is None
    assert listener.clean, "the chunked body has its last chunk"
    own.process.wait(10)
    assert own.process.returncode == 0


def test_who_does_not_read_is_cut_and_holds_up_nobody(make_service):
    own = make_service(env={"CULVERT_WRITE_STALL_SECONDS": "1", "CULVERT_LIMIT_EVENT_STREAMS_PER_ORGANIZATION": "2"})
    tunnel = own.tunnel()
    for number in range(400):
        change(own, tunnel, str(number))
    headers = {"X-API-Key": own.key, "Last-Event-ID": "0"}
    with httpx.Client(http2=True, verify=own.tls(), timeout=60) as client:
        # More waits for it than its window of 64 KiB takes, and it reads none of it.
        with client.stream("GET", f"https://localhost:{own.https_port}{PATH}", headers=headers) as lazy:
            assert lazy.status_code == 200
            with Listener(own, last_id="0") as eager:
                assert len(eager.take(401)) == 401
                change(own, tunnel, "last")
                assert eager.next().type == "tunnel.updated"

                def is_free():
                    with Listener(own, reads=False) as other:
                        return other.head.status == 200
                until("the lazy one is cut", is_free)
            with pytest.raises(httpx.RemoteProtocolError):
                for _ in lazy.iter_raw():
                    pass
