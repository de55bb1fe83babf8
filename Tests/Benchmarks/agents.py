"""Agents that do nothing but stay: each has one connection, says hello, parks its intakes and answers PINGs. Just enough of HTTP/2."""
import asyncio
import json
import ssl
import struct
import urllib.request

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, GOAWAY = 0, 1, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
AT_ONCE = 32
INTAKES = 8


def frame(kind, flags, stream, payload=b""):
    return struct.pack("!I", len(payload))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + payload


def head(*fields):
    """A header block without indexing or Huffman coding (RFC 7541 §6.2.2); no name or value is longer than 126 bytes."""
    return b"".join(b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode() for name, value in fields)


def post(stream, path, *fields):
    block = head((":method", "POST"), (":scheme", "https"), (":authority", "localhost"), (":path", path), *fields)
    return frame(HEADERS, END_STREAM | END_HEADERS, stream, block)


def create_tunnels(port, key, count):
    """The ids and connect secrets of so many new tunnels."""
    made = []
    for number in range(count):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/tunnels", json.dumps({"tunnel_name": f"idle-{number}"}).encode(),
                                         {"X-API-Key": key, "Content-Type": "application/json"})
        answer = json.load(urllib.request.urlopen(request, timeout=20))
        made.append((answer["tunnel"]["id"], answer["connect_secret"]))
    return made


class Agent:
    def __init__(self, tunnel, secret):
        self.tunnel, self.secret, self.is_up = tunnel, secret, asyncio.Event()

    async def begin(self, port, context):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
        self.writer.write(PREFACE + frame(SETTINGS, 0, 0)
                          + post(1, "/_system/hello", ("x-tunnel-id", self.tunnel), ("x-tunnel-secret", self.secret), ("content-length", "0")))
        self.task = asyncio.ensure_future(self.read())
        await asyncio.wait([self.task, asyncio.ensure_future(self.is_up.wait())], return_when=asyncio.FIRST_COMPLETED, timeout=30)

    async def read(self):
        while True:
            start = await self.reader.readexactly(9)
            kind, flags, stream = start[3], start[4], struct.unpack("!I", start[5:])[0]
            payload = await self.reader.readexactly(int.from_bytes(start[:3], "big"))
            if kind == SETTINGS and not flags & ACK:
                self.writer.write(frame(SETTINGS, ACK, 0))
            elif kind == PING and not flags & ACK:
                self.writer.write(frame(PING, ACK, 0, payload))
            elif kind == DATA and stream == 1 and payload:
                self.park(json.loads(payload)["owner_token"])
            elif kind == GOAWAY:
                return

    def park(self, token):
        """As many as an agent that asks for no number is told to park; more would end the connection."""
        for slot in range(INTAKES):
            self.writer.write(post(3 + 2 * slot, "/_system/intake", ("x-tunnel-id", self.tunnel), ("x-owner-token", token), ("x-pool-slot", str(slot))))
        self.is_up.set()


async def _connect(port, credentials, when_all_are_there):
    context = ssl._create_unverified_context()
    context.set_alpn_protocols(["h2"])
    agents, turn = [Agent(*credential) for credential in credentials], asyncio.Semaphore(AT_ONCE)

    async def one(agent):
        async with turn:
            await agent.begin(port, context)
    await asyncio.gather(*(one(agent) for agent in agents))
    await asyncio.sleep(0.5)  # a measurement at rest: nothing tells when the service has settled
    result = when_all_are_there(), sum(not agent.is_up.is_set() or agent.task.done() for agent in agents)
    for agent in agents:
        agent.task.cancel()
        agent.writer.transport.abort()
    return result


def stay(port, credentials, when_all_are_there):
    """What the function gives when all agents are connected and idle, and how many of them are not."""
    return asyncio.run(_connect(port, credentials, when_all_are_there))
