"""Run by a Python with an older release of `mcp`: drives culvert-rpc by the handshake and prints what it saw as JSON.

Arguments: a JSON object with command, args, env, tunnel, host and port of a third party's way in.
"""
import asyncio
import http.client
import importlib.metadata
import json
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import McpError
from pydantic import AnyUrl


def third_party(port, host, path, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", path, body=body, headers={"Host": host})
    response = connection.getresponse()
    return response.status, response.read().decode()


async def main(o):
    seen = {"release": importlib.metadata.version("mcp"), "updated": [], "errors": {}}
    server = StdioServerParameters(command=o["command"], args=o["args"], env=o["env"])
    changed = asyncio.Event()

    async def listen(message):
        root = getattr(message, "root", None)
        if getattr(root, "method", "") == "notifications/resources/updated":
            seen["updated"].append(str(root.params.uri))
            changed.set()

    async with stdio_client(server) as (read, write), ClientSession(read, write, message_handler=listen) as session:
        hello = await session.initialize()
        seen["revision"], seen["server"] = hello.protocolVersion, hello.serverInfo.name
        await session.send_ping()
        await session.set_logging_level("info")
        tools = await session.list_tools()
        seen["tools"] = [t.name for t in tools.tools]
        seen["again"] = [t.name for t in (await session.list_tools()).tools]
        seen["annotations"] = {t.name: t.annotations.readOnlyHint for t in tools.tools if t.annotations}
        started = await session.call_tool("start_agent", {"new": True, "respond": {"status": 202, "body": "taken"}})
        agent = json.loads(started.content[0].text)
        seen["agent"] = agent
        uri = f"tunnel://{agent['tunnel']}/requests"
        await session.subscribe_resource(AnyUrl(uri))
        seen["third_party"] = await asyncio.to_thread(third_party, o["port"], f"{agent['tunnel']}.localhost", "/hook", '{"a": 1}')
        await asyncio.wait_for(changed.wait(), 20)
        waited = await session.call_tool("wait_for_request", {"filter": {"path": "/hook"}, "timeout_seconds": 10})
        seen["waited"] = [c.text for c in waited.content]
        await session.unsubscribe_resource(AnyUrl(uri))
        seen["resources"] = [str(r.uri) for r in (await session.list_resources()).resources]
        seen["templates"] = len((await session.list_resource_templates()).resourceTemplates)
        seen["read"] = (await session.read_resource(AnyUrl(uri))).contents[0].text
        seen["prompts"] = [p.name for p in (await session.list_prompts()).prompts]
        prompt = await session.get_prompt("test_webhook", {"tunnel": agent["tunnel"]})
        seen["prompt"] = prompt.messages[0].content.text
        for name, call in {
            "resource": lambda: session.read_resource(AnyUrl("tunnel://not-there/requests")),
            "tool": lambda: session.call_tool("delete_tunnel", {"tunnel": agent["tunnel"]}),
        }.items():
            try:
                await call()
            except McpError as error:
                seen["errors"][name] = error.error.code
        await session.call_tool("stop_agent", {"agent": agent["agent"]})
    print(json.dumps(seen))


asyncio.run(main(json.loads(sys.argv[1])))
