"""`culvert events`: what has happened, what happens, and what a lost connection does to it."""
import json
import queue
import signal
import subprocess
import threading

import pytest

from support.cli import AUTHENTICATION, UNREACHABLE, USAGE, good, key_of, log_in, read
from support.processes import CULVERT, Account, new_name
from support.waiting import until


class Follower:
    """A `culvert events --follow` that runs."""

    def __init__(self, account, *words):
        self.log = account.folder / f"events-{new_name()}.log"
        self.process = subprocess.Popen([CULVERT, "events", "--follow", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self.log.open("wb"), env=account.env, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def next(self):
        line = self.lines.get(timeout=40)
        assert line is not None, f"it ended with {self.process.wait()}: {self.log.read_text()}"
        return line

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)


@pytest.fixture
def own(make_service, tmp_path):
    """A service and a home of the test's own: the events of the shared one are everybody's."""
    service = make_service()
    return service, Account(tmp_path / "home", service)


@pytest.fixture
def follow():
    made = []

    def make(account, *words):
        made.append(Follower(account, *words))
        return made[-1]

    yield make
    for follower in made:
        if follower.process.poll() is None:
            follower.process.kill()


def listening(follower):
    until("the follower listens", lambda: "Waiting for events" in follower.log.read_text())


def test_what_has_happened_is_listed_and_it_ends(own):
    service, account = own
    name = new_name()
    good(account.run("tunnels", "create", name))
    good(account.run("tunnels", "delete", name))
    listed = [json.loads(l) for l in good(account.run("events", "--json")).splitlines()]
    assert [e["type"] for e in listed] == ["tunnel.created", "tunnel.delete_pending"]
    assert all(e["data"]["tunnel_name"] == name for e in listed) and [e["stream_id"] for e in listed] == ["1", "2"]
    assert good(account.run("events", "--json", "--types", "tunnel.created")).count("\n") == 1
    assert good(account.run("events", "--json", "--types", "tunnel.*,key.*")).count("\n") == 2
    assert "delete_pending" in good(account.run("events", "--since-id", "1", "--json"))
    assert good(account.run("events", "--since-id", "2")) == ""
    people = good(account.run("events")).splitlines()
    assert people[0].split()[1:] == ["tunnel.created", name, "id", "1"]


def test_what_happens_is_told_until_ctrl_c(own, follow):
    service, account = own
    follower = follow(account)
    listening(follower)
    name = service.tunnel().name
    line = follower.next()
    assert "tunnel.created" in line and name in line
    assert follower.stop() == 0
    assert len(follower.log.read_text().splitlines()) == 1


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_service_that_ends_and_comes_back_costs_no_event_and_repeats_none(own, follow, end):
    service, account = own
    follower = follow(account, "--json")
    listening(follower)
    service.tunnel()
    first = json.loads(follower.next())
    getattr(service, end)()
    until("the follower has noticed", lambda: "Trying again" in follower.log.read_text())
    service.start()
    last = service.tunnel()
    told = [first]
    while told[-1]["data"]["tunnel_name"] != last.name:
        told.append(json.loads(follower.next()))
    whole = [json.loads(l) for l in good(account.run("events", "--json", "--since-id", str(int(first["stream_id"]) - 1))).splitlines()]
    assert told == whole, "what was told is what the log has, each once and in order"
    assert follower.stop() == 0


def test_a_service_that_ends_before_anything_has_happened_costs_no_event(own, follow):
    service, account = own
    follower = follow(account, "--json")
    listening(follower)
    service.kill()
    until("the follower has noticed", lambda: "Trying again" in follower.log.read_text())
    service.start()
    tunnel = service.tunnel()
    assert json.loads(follower.next())["data"]["tunnel_name"] == tunnel.name


def test_a_log_that_does_not_reach_back_says_so(make_service, tmp_path):
    service = make_service(env={"CULVERT_LIMIT_EVENTS_PER_ORGANIZATION": "2"})
    account = Account(tmp_path / "home", service)
    for _ in range(5):
        service.tunnel()
    service.stop()
    # Upkeep runs at the start.
    service.start()
    until("the oldest are forgotten", lambda: len(good(account.run("events")).splitlines()) == 2)
    out = account.run("events", "--since-id", "1")
    assert "not kept any more" in out.stderr and len(good(out).splitlines()) == 2
    out = account.run("events")
    assert out.stderr == "" and len(good(out).splitlines()) == 2, "who asks for all that is kept gets it"
    out = account.run("events", "--since-id", "1000")
    assert "no event 1000" in out.stderr and good(out) == ""
    kept = [json.loads(l)["type"] for l in good(account.run("events", "--since-id", "1", "--json")).splitlines()]
    assert kept == ["log.truncated", "tunnel.created", "tunnel.created"]


def test_when_nobody_reads_any_more_it_ends(own, follow):
    service, account = own
    process = subprocess.Popen([CULVERT, "events", "--follow"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=account.env)
    process.stdout.close()
    try:
        until("it has ended", lambda: service.tunnel() and process.poll() is not None)
        assert process.returncode == 0
    finally:
        process.kill()


@pytest.mark.parametrize("words, status, said", [
    (["--types", "tunnel.creatd"], USAGE, "did you mean tunnel.created?"),
    (["--types", "quite.another"], USAGE, "quite.another"),
    (["--types", "tunnel.created,"], USAGE, "empty"),
    (["--since-id", "yesterday"], USAGE, "Last-Event-ID"),
])
def test_what_goes_wrong_is_told(account, words, status, said):
    out = account.run("events", *words)
    assert out.returncode == status and said in out.stderr and out.stdout == "", out


@pytest.mark.parametrize("words", [[], ["--follow"]])
def test_a_server_that_is_not_there_is_told(make_service, tmp_path, words):
    service = make_service()
    account = Account(tmp_path / "home", service)
    service.stop()
    out = account.run("events", *words)
    assert out.returncode == UNREACHABLE and str(service.https_port) in out.stderr and out.stdout == ""
    assert len(out.stderr.splitlines()) == 2, out


def test_an_agents_key_may_not_follow(account, service, tmp_path):
    name = new_name()
    good(account.run("identities", "create", name))
    out = log_in(tmp_path / "agent", service, key_of(account, name)).run("events", "--follow")
    assert out.returncode == AUTHENTICATION and "administrator" in out.stderr


def test_a_follower_whose_key_is_revoked_ends_with_a_message(own, follow):
    service, account = own
    follower = follow(account)
    listening(follower)
    good(account.run("keys", "revoke", read(account.run("whoami", "--json"))["key_id"]))
    assert follower.process.wait(30) == AUTHENTICATION and "culvert login" in follower.log.read_text()
