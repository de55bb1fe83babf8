"""The native methods by Content-Length headers, driven by the reader and writer of python-lsp-jsonrpc."""
import subprocess
import threading

from pylsp_jsonrpc.dispatchers import MethodDispatcher
from pylsp_jsonrpc.endpoint import Endpoint
from pylsp_jsonrpc.exceptions import JsonRpcException
from pylsp_jsonrpc.streams import JsonRpcStreamReader, JsonRpcStreamWriter
import pytest

from support.rpc import CULVERT_RPC


class Editor:
    """An editor's plugin: it calls, and is the web server behind the tunnel."""

    def __init__(self, account):
        self.process = subprocess.Popen([CULVERT_RPC], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=account.env)
        self.statuses, self.reports = [], threading.Event()
        reader, writer = JsonRpcStreamReader(self.process.stdout), JsonRpcStreamWriter(self.process.stdin)
        self.endpoint = Endpoint({"agent.status": lambda params: self.statuses.append(params["status"]),
                                  "agent.request": lambda params: self.reports.set(),
                                  "request.received": self.received}, writer.write)
        threading.Thread(target=reader.listen, args=(self.endpoint.consume,), daemon=True).start()

    def received(self, request):
        self.endpoint.request("request.respond", {"id": request["id"], "status": 200, "body": f"you sent {request['body']}"})

    def call(self, method, params=None):
        return self.endpoint.request(method, params).result(timeout=30)


def test_an_editor_serves_a_tunnel(account, service):
    editor = Editor(account)
    try:
        assert editor.call("domain.validateName", {"name": "my-agent"})["is_valid"]
        assert editor.call("rpc.discover")["openrpc"]
        agent = editor.call("agent.start", {"new": True, "handler": True})
        answer = service.get(agent["tunnel"] + ".localhost", "/", method="POST", body=b"words")
        assert (answer.status, answer.body) == (200, b"you sent words")
        assert editor.reports.wait(20) and "connected" in editor.statuses
        assert editor.call("requests.wait", {"filter": {"body_contains": "words"}})["request"]["status"] == 200
        with pytest.raises(JsonRpcException) as refused:
            editor.call("tunnels.get", {"tunnel": "not-there"})
        assert refused.value.code == 1003
        waiting = editor.endpoint.request("requests.wait", {"filter": {"path": "/never"}})
        # `waiting.cancel()` would send the same, and then this library falls over the answer.
        editor.endpoint.notify("$/cancelRequest", {"id": next(k for k, v in editor.endpoint._server_request_futures.items() if v is waiting)})
        with pytest.raises(JsonRpcException) as cancelled:
            waiting.result(timeout=30)
        assert cancelled.value.code == -32800
        assert editor.call("agent.stop", {"agent": agent["agent"]})["status"] == "stopped"
        editor.process.stdin.close()
        assert editor.process.wait(20) == 0
    finally:
        editor.process.kill()
        editor.process.wait()
