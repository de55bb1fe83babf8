"""An ASGI application that echoes: requests as JSON, WebSockets message by message. It tells on standard output how they were closed."""
import json


async def app(scope, receive, send):
    await {"http": answer, "websocket": echo}[scope["type"]](scope, receive, send)


async def answer(scope, receive, send):
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    seen = {"method": scope["method"], "target": f"{scope['path']}?{scope['query_string'].decode()}".rstrip("?"),
            "headers": [[k.decode("latin-1"), v.decode("latin-1")] for k, v in scope["headers"]], "body": body.decode("latin-1")}
    await send({"type": "http.response.start", "status": 200, "headers": [
        (b"content-type", b"application/json"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]})
    await send({"type": "http.response.body", "body": json.dumps(seen).encode()})


async def echo(scope, receive, send):
    assert (await receive())["type"] == "websocket.connect"
    if scope["path"] == "/refuse":
        return await send({"type": "websocket.close", "code": 4003})
    await send({"type": "websocket.accept", "subprotocol": "chat.v2" if "chat.v2" in scope["subprotocols"] else None,
                "headers": [(b"x-origin", b"yes")]})
    if scope["path"] == "/close-at-once":
        return await send({"type": "websocket.close", "code": 4007, "reason": "enough"})
    if scope["path"] == "/large":
        await send({"type": "websocket.send", "bytes": bytes(1 << 20)})
    while (message := await receive())["type"] == "websocket.receive":
        sent = {"text": message["text"]} if message.get("text") is not None else {"bytes": message["bytes"]}
        await send({"type": "websocket.send", **sent})
    print(f"closed {message['code']}", flush=True)
