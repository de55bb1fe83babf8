"""Several agents of one tunnel: who gets what, and what becomes of it when one of them goes."""
import collections
import json
import threading
import uuid

import pytest

from support.origin import Origin
from support.processes import Account, new_name
from support.waiting import until

CONFLICT = 5


class Always(dict):
    """Scripts by path, with one for all other paths."""

    def __init__(self, script):
        super().__init__()
        self.script = script

    def get(self, path, _):
        return super().get(path, self.script)


class Shared:
    """One tunnel, and agents that serve it, each before an origin of its own."""

    def __init__(self, service, folder):
        self.service, self.name = service, new_name()
        self.host = f"{self.name}.localhost"
        self.account = Account(folder, service)
        self.agents, self.origins = [], []

    def join(self, *words, shared=True):
        """Starts one more agent; returns it once it is connected."""
        name = f"agent-{len(self.agents)}"
        origin = Origin()
        origin.scripts = Always(lambda exchange: (exchange.body(), exchange.answer(body=name)))
        self.origins.append(origin)
        agent = self.account.http(origin.port, "--name", self.name, *(["--shared"] if shared else []), *words)
        self.agents.append(agent)
        agent.url()
        return agent

    def count(self):
        tunnels = self.service.call("GET", "/api/v1/tunnels").json()["tunnels"]
        return next(t for t in tunnels if t["tunnel_name"] == self.name)["connected_agents"]

    def close(self):
        for agent in self.agents:
            if agent.process.poll() is None:
                agent.kill()
        for origin in self.origins:
            origin.close()


@pytest.fixture
def shared(service, tmp_path):
    made = Shared(service, tmp_path / "home")
    yield made
    made.close()


class Load:
    """Third parties that ask one thing after another, each on a connection that it keeps, until they are told to stop."""

    def __init__(self, service, host, parties=8):
        self.service, self.host, self.ends = service, host, threading.Event()
        self.answers, self.lock = [], threading.Lock()
        self.threads = [threading.Thread(target=self._ask, args=(number,), daemon=True) for number in range(parties)]
        for thread in self.threads:
            thread.start()

    def _ask(self, party):
        wire, turn = None, 0
        while not self.ends.is_set():
            turn += 1
            body = b"x" * (turn % 3 * 400)
            path, method = f"/{party}-{turn}-{uuid.uuid4().hex}", "POST" if body else "GET"
            try:
                wire = wire or self.service.plain(timeout=40)
                answer = wire.request(method, path, self.host, (), body).response(method)
                told = (path, answer.status, answer.body.decode(), answer.reason)
            except (OSError, EOFError, ValueError) as error:
                told, wire = (path, 0, repr(error), None), None
            with self.lock:
                self.answers.append(told)

    def wait(self, count):
        before = len(self.answers)
        until(f"{count} more answers", lambda: len(self.answers) >= before + count)

    def end(self):
        self.ends.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a request was never answered"
        return self.answers


def seen(origins):
    """How often each request got to an origin."""
    return collections.Counter(exchange.target for origin in origins for exchange in origin.seen)


def test_both_get_work_and_the_one_with_most_room_gets_the_next(service, shared):
    first, second = shared.join(), shared.join()
    until("both are connected", lambda: shared.count() == 2)
    until("the second knows of the first", lambda: "2 agents share the tunnel" in second.tail())
    assert "No other agent shares the tunnel yet" in first.tail()
    assert {service.get(shared.host, f"/{number}").body for number in range(20)} == {b"agent-0", b"agent-1"}
    hold, gate = f"/hold-{uuid.uuid4().hex}", threading.Event()
    for origin in shared.origins:
        origin.on(hold, lambda exchange: (gate.wait(60), exchange.answer(body="held")))
    holding = threading.Thread(target=service.get, args=(shared.host, hold), kwargs={"timeout": 60})
    holding.start()
    holder = until("the request is held", lambda: next((f"agent-{n}" for n, o in enumerate(shared.origins) if hold in o.targets()), None))
    answers = collections.Counter(service.get(shared.host, f"/{number}").body.decode() for number in range(40))
    gate.set()
    holding.join(60)
    assert answers[holder] < 20, (holder, answers)


@pytest.mark.seconds(180)
def test_one_that_is_stopped_under_load_loses_nothing(service, shared):
    shared.join()
    second = shared.join()
    load = Load(service, shared.host)
    load.wait(200)
    second.stop()
    assert second.process.returncode == 0, second.tail()
    until("one is left", lambda: shared.count() == 1)
    load.wait(200)
    shared.join()
    load.wait(200)
    answers = load.end()
    assert [a for a in answers if a[1] != 200] == []
    counts = seen(shared.origins)
    assert all(counts[path] == 1 for path, *_ in answers), "a request was done twice, or never"
    assert {a[2] for a in answers} == {"agent-0", "agent-1", "agent-2"}


@pytest.mark.seconds(180)
def test_one_that_is_killed_fails_what_it_had_and_nothing_else(service, shared):
    shared.join()
    second = shared.join()
    load = Load(service, shared.host)
    load.wait(200)
    second.kill()
    until("one is left", lambda: shared.count() == 1)
    load.wait(200)
    answers = load.end()
    failed = [a for a in answers if a[1] != 200]
    assert len(failed) <= 8, failed
    assert {(status, reason) for _, status, _, reason in failed} <= {(502, "agent-disconnected")}, failed
    counts = seen(shared.origins)
    assert all(counts[path] == 1 for path, status, *_ in answers if status == 200)
    assert all(counts[path] <= 1 for path, *_ in answers), "a request was done twice"


def test_one_that_does_not_share_takes_over_from_all(service, shared):
    sharing = [shared.join(), shared.join()]
    alone = shared.join(shared=False)
    for agent in sharing:
        assert agent.process.wait(20) == CONFLICT
        assert "--shared" in agent.tail()
    assert service.get(shared.host).body == b"agent-2"
    shared.join()
    assert alone.process.wait(20) == CONFLICT
    assert service.get(shared.host).body == b"agent-3"


def test_programs_are_told_how_many_share(service, shared):
    shared.join()
    origin = shared.origins[0]
    agent = shared.account.http(origin.port, "--name", shared.name, "--shared", "--json")
    shared.agents.append(agent)
    events = [json.loads(agent.lines.get(timeout=20)) for _ in range(3)]
    assert [e["event"] for e in events] == ["connecting", "connected", "sharing"]
    assert events[2] == {"event": "sharing", "tunnel": shared.name, "agents": 2}
    got = shared.account.run("tunnels", "get", shared.name)
    assert "2 connected" in got.stdout, got
