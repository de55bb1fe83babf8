"""Many at once, and kill -9 in the middle: exactly the right number succeed, and what was acknowledged stays."""
import http.client
import subprocess
import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.organizations import Organization
from support.processes import CULVERTD, new_name

CROWD = 50
NAMES = 10


@pytest.fixture
def service(make_service):
    return make_service()


@pytest.fixture
def home(service):
    return Organization(service, service.org, service.key)


def all_at_once(count, work):
    """Runs work(0…count-1), each in a thread of its own, let go together."""
    gate = threading.Barrier(count)

    def run(number):
        gate.wait(20)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def check_store(service):
    """Stops the service and looks at the file: whole, its audit chain unbroken, no name twice."""
    service.stop()
    query = """
        PRAGMA integrity_check; PRAGMA foreign_key_check;
        SELECT 'taken twice: ' || name FROM tunnels WHERE status <> 'deleted' GROUP BY name HAVING count(*) > 1;
        SELECT 'broken chain at ' || later.sequence FROM audit_entries later JOIN audit_entries former
            ON former.sequence = (SELECT max(sequence) FROM audit_entries WHERE sequence < later.sequence)
            WHERE later.previous_hash <> former.hash;
        SELECT 'identity without its tunnel: ' || id FROM identities i
            WHERE NOT EXISTS (SELECT 1 FROM tunnels t WHERE t.identity_id = i.id AND t.name = i.handle);
    """
    verdict = subprocess.run(["sqlite3", service.data / "culvert.db", query], capture_output=True, text=True, timeout=60)
    assert verdict.stdout.strip() == "ok", verdict.stdout + verdict.stderr
    trail = subprocess.run([CULVERTD, "audit", "verify", "--data-dir", service.data], capture_output=True, text=True, timeout=60, env=service.env)
    assert trail.returncode == 0, trail.stdout + trail.stderr


def rows(service, query):
    out = subprocess.run(["sqlite3", service.data / "culvert.db", query], capture_output=True, text=True, timeout=60)
    assert out.returncode == 0, out.stderr
    return out.stdout.split()


def create(home, number, name, **options):
    """Tunnels and identities share their names, so every other one asks for an identity."""
    if number % 2:
        return home.call("POST", "/api/v1/identities", {"agent_handle": name}, **options)
    return home.call("POST", "/api/v1/tunnels", {"tunnel_name": name}, **options)


def test_fifty_creators_share_ten_names_one_each(service, home):
    names = [new_name() for _ in range(NAMES)]
    answers = all_at_once(CROWD, lambda n: (names[n // (CROWD // NAMES)], create(home, n, names[n // (CROWD // NAMES)])))
    for name in names:
        assert sorted(a.status for n, a in answers if n == name) == [201] + [409] * (CROWD // NAMES - 1)
    listed = [t["tunnel_name"] for t in home.call("GET", "/api/v1/tunnels").json()["tunnels"]]
    assert sorted(listed) == sorted(names)
    made = [a.json() for n, a in answers if a.status == 201]
    handles = [i["agent_handle"] for i in home.call("GET", "/api/v1/identities").json()]
    assert sorted(handles) == sorted(m["agent_handle"] for m in made if "agent_handle" in m)
    check_store(service)


def test_fifty_renames_to_one_handle_succeed_once(service, home):
    identities, wanted = [home.identity() for _ in range(CROWD)], new_name()
    statuses = all_at_once(CROWD, lambda n: home.call("PATCH", f"/api/v1/identities/{identities[n]['agent_handle']}", {"agent_handle": wanted}).status)
    assert Counter(statuses) == {200: 1, 409: CROWD - 1}
    check_store(service)


def test_the_daily_limit_holds_in_a_crowd(make_service):
    service = make_service(limits={})
    home = Organization(service, service.org, service.key)
    statuses = all_at_once(CROWD, lambda n: create(home, n, new_name()).status)
    assert Counter(statuses) == {201: 10, 429: CROWD - 10}
    tunnel = home.call("GET", "/api/v1/tunnels").json()["tunnels"]
    alone = next(t for t in tunnel if t["agent_identity_id"] is None)
    statuses = all_at_once(CROWD, lambda n: home.call("POST", f"/api/v1/tunnels/{alone['id']}/rotate-secret").status)
    assert Counter(statuses) == {200: 5, 429: CROWD - 5}
    check_store(service)


def test_after_fifty_rotations_one_secret_counts(service, home, connect):
    tunnel = service.tunnel()
    answers = all_at_once(CROWD, lambda n: home.call("POST", f"/api/v1/tunnels/{tunnel.id}/rotate-secret"))
    assert {a.status for a in answers} == {200}
    secrets = [a.json()["connect_secret"] for a in answers]
    assert len(set(secrets)) == CROWD
    welcome = []
    for secret in [tunnel.secret, *secrets]:
        agent = connect(service, tunnel, secret=secret, hello=False)
        welcome.append(agent.hello().status)
        agent.close()
    assert Counter(welcome) == {200: 1, 401: CROWD}
    check_store(service)


def test_fifty_equal_requests_with_one_idempotency_key_happen_once(service, home):
    key, name = uuid.uuid4().hex, new_name()

    def until_final(number):
        """A 409 says that the first one still runs; whoever gets it asks again."""
        while True:
            answer = home.call("POST", "/api/v1/tunnels", {"tunnel_name": name}, headers={"Idempotency-Key": key})
            if answer.status != 409:
                return answer

    answers = all_at_once(CROWD, until_final)
    assert {a.status for a in answers} == {201}
    assert len({a.body for a in answers}) == 1, "all see the same tunnel and secret"
    assert Counter(a.header("idempotency-replayed") for a in answers) == {None: 1, "true": CROWD - 1}
    check_store(service)
    assert rows(service, f"SELECT count(*) FROM tunnels WHERE name = '{name}'") == ["1"]


def test_deletes_restores_and_rotations_at_once_leave_a_status_that_one_of_them_made(service, home):
    tunnel = home.tunnel()
    path = f"/api/v1/tunnels/{tunnel['id']}"
    calls = [("DELETE", path), ("POST", path + "/restore"), ("POST", path + "/rotate-secret"), ("PATCH", path), ("DELETE", path + "/force")]
    answers = all_at_once(CROWD, lambda n: home.call(*calls[n % len(calls)], {"description": str(n)} if n % len(calls) == 3 else None))
    assert all(a.status in (200, 404, 409) for a in answers), [a for a in answers if a.status >= 500]
    last = home.call("GET", path)
    assert last.status == 404 or last.json()["status"] in ("active", "delete_pending")
    check_store(service)


@pytest.mark.parametrize("seed", range(3))
def test_kill_9_in_a_crowd_loses_and_doubles_nothing(service, home, seed):
    """Creators and rotators work until the service is killed under them; then everything acknowledged is there."""
    tunnels = [home.tunnel() for _ in range(4)]
    made, rotated, started = {}, {}, threading.Semaphore(0)

    def work(number):
        for turn in range(10_000):
            key = f"{number}-{turn}"
            try:
                if number % 3:
                    name = f"k{seed}-{number}-{turn}"
                    answer = create(home, number, name, headers={"Idempotency-Key": key})
                    assert answer.status == 201, answer
                    made[key] = (number, name, answer.body)
                else:
                    path = f"/api/v1/tunnels/{tunnels[number % 4]['id']}/rotate-secret"
                    answer = home.call("POST", path, headers={"Idempotency-Key": key})
                    assert answer.status == 200, answer
                    rotated[key] = (path, answer.body)
            except (OSError, http.client.HTTPException):
                return key  # the service is gone; whether this one happened is what its key will tell
            started.release()

    with ThreadPoolExecutor(CROWD) as pool:
        workers = [pool.submit(work, n) for n in range(CROWD)]
        for _ in range(CROWD * (2 + seed)):
            assert started.acquire(timeout=30)
        service.kill()
        unanswered = [w.result() for w in workers]
    service.start()

    assert made and rotated
    listed = {t["tunnel_name"]: t for t in home.call("GET", "/api/v1/tunnels").json()["tunnels"]}
    handles = {i["agent_handle"] for i in home.call("GET", "/api/v1/identities").json()}
    for key, (number, name, body) in made.items():
        assert name in listed and (name in handles) == bool(number % 2)
        again = create(home, number, name, headers={"Idempotency-Key": key})
        assert (again.status, again.body, again.header("idempotency-replayed")) == (201, body, "true")
    for key, (path, body) in rotated.items():
        again = home.call("POST", path, headers={"Idempotency-Key": key})
        assert (again.status, again.body, again.header("idempotency-replayed")) == (200, body, "true")
    for key in unanswered:
        number, turn = map(int, key.split("-"))
        if number % 3:
            name = f"k{seed}-{number}-{turn}"
            happened = name in listed
            again = create(home, number, name, headers={"Idempotency-Key": key})
            assert again.status == 201, "the client that got no answer gets it now"
            assert (again.header("idempotency-replayed") == "true") == happened, "done once: before the kill or now"
    names = rows(service, "SELECT name FROM tunnels WHERE name LIKE 'k%'")
    assert len(names) == len(set(names))
    check_store(service)
