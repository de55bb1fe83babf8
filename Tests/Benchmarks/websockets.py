"""WebSockets for the benchmark: an echoing origin, and a load of round trips. Both speak just enough of RFC 6455."""
import asyncio
import base64
import hashlib
import os
import selectors
import socket
import struct
import sys
import time

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT = b"thirty-two bytes, there and back"
MASK = b"\x11\x22\x33\x44"


def masked(payload):
    return bytes([0x81, 0x80 | len(payload)]) + MASK + bytes(b ^ MASK[i % 4] for i, b in enumerate(payload))


FRAME, ECHO = masked(TEXT), bytes([0x81, len(TEXT)]) + TEXT


async def echo(reader, writer):
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(line.split(b":", 1)[1].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
                     + base64.b64encode(hashlib.sha1(key + GUID).digest()) + b"\r\n\r\n")
        while True:
            first, second = await reader.readexactly(2)
            if first & 0x0F == 8:
                return
            length = second & 0x7F
            if length == 126:
                length = struct.unpack(">H", await reader.readexactly(2))[0]
            mask = await reader.readexactly(4) if second & 0x80 else bytes(4)
            body = await reader.readexactly(length)
            plain = bytes(b ^ mask[i % 4] for i, b in enumerate(body)) if any(mask) else body
            writer.write(bytes([first]) + (bytes([length]) if length < 126 else b"\x7e" + struct.pack(">H", length)) + plain)
    except (asyncio.IncompleteReadError, ConnectionError, StopIteration):
        pass
    finally:
        writer.close()


async def serve(port):
    server = await asyncio.start_server(echo, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


def _open(connect, topology):
    sock = connect(topology)
    sock.sendall(f"GET /ws HTTP/1.1\r\nHost: {topology.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                 f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        more = sock.recv(4096)
        if not more:
            raise OSError("no answer to the upgrade")
        head += more
    if b" 101 " not in head.split(b"\r\n", 1)[0]:
        raise OSError(head.split(b"\r\n", 1)[0].decode())
    sock.setblocking(False)
    return sock


def round_trips(connect, topology, connections, seconds):
    """Each connection sends a message, waits for its echo and sends the next; wrong echoes are failures."""
    selector, pending, done, failed = selectors.DefaultSelector(), {}, 0, 0
    socks = [_open(connect, topology) for _ in range(connections)]
    try:
        for sock in socks:
            selector.register(sock, selectors.EVENT_READ)
            pending[sock] = b""
            sock.send(FRAME)
        end = time.monotonic() + seconds
        while time.monotonic() < end and pending:
            for key, _ in selector.select(0.2):
                sock = key.fileobj
                try:
                    more = sock.recv(4096)
                except (BlockingIOError, OSError) as error:
                    # What is left of a TLS record is not an event of its own: try again with the next one.
                    if "read" in str(error) or isinstance(error, BlockingIOError):
                        continue
                    more = b""
                pending[sock] += more
                if len(pending[sock]) < len(ECHO) and more:
                    continue
                if pending[sock] != ECHO:
                    failed += 1
                    selector.unregister(sock)
                    del pending[sock]
                    continue
                pending[sock] = b""
                done += 1
                sock.send(FRAME)
    finally:
        for sock in socks:
            sock.close()
    return {"count": done, "rps": done / seconds, "failed": failed}


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
