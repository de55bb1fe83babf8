"""What the metrics say is what has happened, in the form that others read."""
from prometheus_client.parser import text_string_to_metric_families

from support.hooks import github, github_route
from support.waiting import until


def samples(hook):
    answer = hook.request("GET", "/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {(s.name, *sorted(s.labels.values())): s.value for family in text_string_to_metric_families(answer.text) for s in family.samples}


def test_each_event_and_each_attempt_is_counted_once_where_it_belongs(make_hook):
    when = {"header": "x-github-event", "equals": "push"}
    wait = {"waitSeconds": 60}
    hook = make_hook([
        github_route({"exec": ["/bin/true"]}, when=when, response=wait),
        {"name": "bad", "path": "/bad", "verify": {"kind": "none"}, "action": {"exec": ["/bin/false"]}, "response": wait,
         "retries": {"attempts": 2, "firstSeconds": 0.05}},
        {"name": "final", "path": "/final", "verify": {"kind": "none"}, "response": wait,
         "action": {"exec": ["/bin/false"], "finalExitCodes": [1]}}], limits={"bytes": 10})
    right = github(b"1", delivery="d")
    assert [hook.post("/github", b"1", right).status for _ in range(2)] == [200, 202]
    assert hook.post("/github", b"2", right).status == 401
    assert hook.post("/github", b"3", github(b"3", event="ping")).status == 202
    assert hook.post("/bad", b"4").status == 502
    assert hook.post("/final", b"5").status == 502
    # The two in the dead letter are a part of what is not done.
    assert hook.post("/final", b"x" * 9).status == 503
    hook.settled()
    found = samples(hook)
    events, attempts = "culvert_hook_events_total", "culvert_hook_run_attempts_total"
    expected = {(events, "accepted", "github"): 1, (events, "duplicate", "github"): 1, (events, "refused", "github"): 1,
                (events, "filtered", "github"): 1, (events, "accepted", "bad"): 1, (events, "accepted", "final"): 1,
                (events, "final", "no_room"): 1, (attempts, "github", "succeeded"): 1, (attempts, "bad", "failed"): 2,
                (attempts, "final", "refused"): 1, ("culvert_hook_runs_waiting",): 0, ("culvert_hook_runs_running",): 0,
                ("culvert_hook_backlog_runs",): 2, ("culvert_hook_backlog_bytes",): 2}
    assert {tuple(sorted(k)): v for k, v in found.items() if "commits" not in k[0]} == {tuple(sorted(k)): v for k, v in expected.items()}
    assert found[("culvert_hook_commits_total",)] >= 4
    assert hook.ask("dead", "drop", *[str(r["id"]) for r in hook.runs("dead")])
    until("there is room again", lambda: samples(hook)[("culvert_hook_backlog_runs",)] == 0)
    assert hook.post("/final", b"x" * 9).status == 502
