"""Compares TunnelWire's HTTP/1 decoders with h11, message by message: whatever h11 refuses, ours must refuse too, and what both
accept must mean the same. Where ours is stricter, the reason is one of those that STRICTER lists.

Usage: differential_h11.py WIRE_PROBE [SEED [COUNT]]
"""

import collections
import json
import pathlib
import random
import struct
import subprocess
import sys

import h11

fixtures = pathlib.Path(__file__).resolve().parents[2] / "Fixtures/Wire/HTTP1"

# Our refusals of what h11 takes, and why we are stricter.
STRICTER = {
    "bareLineFeed": "h11 ends a line at LF alone",
    "foldedField": "h11 unfolds folded lines",
    "malformedHost": "h11 does not read Host",
    "missingHost": "h11 takes an empty Host, or none beside HTTP/1.0",
    "hostMismatch": "h11 does not compare URL and Host",
    "illegalTarget": "h11 takes any visible bytes as a target",
    "targetTooLong": "h11 has one limit for the whole head",
    "illegalMethod": "h11 has no limit for a method",
    "repeatedLength": "h11 folds equal lengths into one",
    "malformedLength": "h11 takes lists of equal lengths, and lengths of twenty digits",
    "lengthAndTransferEncoding": "h11 lets Transfer-Encoding win",
    "transferEncodingInHTTP10": "h11 reads chunks in HTTP/1.0",
    "unsupportedTransferEncoding": "h11 unfolds a folded coding",
    "unsupportedExpectation": "h11 ignores other expectations",
    "malformedChunkSize": "h11 takes blanks after a size, and sizes of twenty digits",
    "malformedChunkExtension": "h11 takes any visible bytes as an extension",
    "chunkLineTooLong": "h11 has no limit for a chunk line but its buffer",
    "forbiddenTrailer": "h11 hands any trailer on",
    "trailersTooLarge": "h11 has one limit for heads and trailers",
    "unsupportedVersion": "h11 takes any HTTP/1.x",
    "malformedStatusLine": "h11 takes statuses up to 999",
    "unsolicitedResponse": "h11 keeps what follows a response until it is asked for",
    "tooManyInterimHeads": "h11 takes interim heads without end",
    "tooManyFields": "h11 counts no fields",
    "illegalFieldValue": "h11 takes control characters but NUL in values",
    "bareCarriageReturn": "h11 takes a CR within a value",
}


def of_requests(message):
    """What a server that answers at once would read: heads, bodies, ends, and the first refusal."""
    heads, bodies, ends = [], [], 0
    connection = server(message)
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                heads.append(event.method.decode() + " " + event.target.decode("latin-1"))
                bodies.append(b"")
            elif isinstance(event, h11.Data):
                bodies[-1] += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                ends += 1
                if connection.their_state is h11.MIGHT_SWITCH_PROTOCOL:
                    connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
                if connection.their_state is h11.MUST_CLOSE or connection.their_state is h11.CLOSED:
                    # What follows a request that closes is refused by h11 and thrown away by ours.
                    return heads, bodies, ends, None
                connection = server(connection.trailing_data[0])
            else:
                return heads, bodies, ends, None
    except h11.RemoteProtocolError as error:
        return heads, bodies, ends, str(error)


def server(data):
    """A connection for the next message; one empty line before it is forgiven by ours (RFC 9112, section 2.2)."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=65536)
    rest = data[2:] if data.startswith(b"\r\n") else data
    if rest != b"\r":
        connection.receive_data(rest)
    return connection


def of_response(message):
    heads, bodies, ends = [], [], 0
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=65536)
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "a"), ("connection", "upgrade"), ("upgrade", "x")]))
    connection.send(h11.EndOfMessage())
    try:
        connection.receive_data(message)
        connection.receive_data(b"")
        while True:
            event = connection.next_event()
            if event in (h11.NEED_DATA, h11.PAUSED):
                return heads, bodies, ends, None
            if isinstance(event, h11.InformationalResponse):
                heads.append(str(event.status_code))
            elif isinstance(event, h11.Response):
                heads.append(str(event.status_code))
                bodies.append(b"")
            elif isinstance(event, h11.Data):
                bodies[-1] += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                ends += 1
                return heads, bodies, ends, None
            elif isinstance(event, h11.ConnectionClosed):
                return heads, bodies, ends, None
    except h11.RemoteProtocolError as error:
        return heads, bodies, ends, str(error)


class Maker:
    """Makes messages: the fixtures, mutations of them, and made-up ones from pieces that matter."""

    lines = ["Host: a", "host:a", "Host: a:80", "Host : a", "Host:", "Host: b", "Host: a b", "X: y", "X:\ty ", " folded", "X", ": x",
             "X: \x00", "X: \x0b", "X: \x7f", "X: \xe9", "X\x00: y", "X y: z", "Content-Length: 0", "Content-Length: 3",
             "Content-Length: +3", "Content-Length: 3, 3", "Content-Length: 3,4", "Content-Length: 0x3", "Content-Length: -1",
             "Content-Length: 3 3", "Content-Length: ", "Content-Length: 99999999999999999999", "Transfer-Encoding: chunked",
             "Transfer-Encoding: Chunked", "Transfer-Encoding: gzip", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, gzip",
             "Transfer-Encoding:\x0bchunked", "Transfer-Encoding: chunked\x00", "Transfer-Encoding : chunked", "Transfer-Encoding: xchunked",
             "Connection: close", "Connection: keep-alive", "Connection: upgrade", "Upgrade: websocket", "Expect: 100-continue",
             "Expect: x", "Cookie: a", "Trailer: X"]
    starts = ["GET / HTTP/1.1", "POST /x HTTP/1.1", "PUT /x HTTP/1.0", "HEAD / HTTP/1.1", "OPTIONS * HTTP/1.1", "GET http://a/ HTTP/1.1",
              "GET http://b/ HTTP/1.1", "CONNECT a:80 HTTP/1.1", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", "GET / HTTP/1.2", "GET / HTTP/2.0",
              "G@T / HTTP/1.1", "GET /\xe9 HTTP/1.1", "GET /a b HTTP/1.1", "GET /", "get / http/1.1", "GET /# HTTP/1.1", "\r\nGET / HTTP/1.1",
              "GET /\x00 HTTP/1.1", "GET /\x7f HTTP/1.1", "\tGET / HTTP/1.1"]
    statuses = ["HTTP/1.1 200 OK", "HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.0 200 OK", "HTTP/1.1 204 No", "HTTP/1.1 304 No",
                "HTTP/1.1 404 N\xf6", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 999 OK", "HTTP/1.1 099 OK", "HTTP/1.1  200 OK",
                "HTTP/2.0 200 OK", "HTTP/1.1 200 O\x00", "http/1.1 200 OK", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK",
                "HTTP/1.1 +20 OK"]
    bodies = ["", "abc", "3\r\nabc\r\n0\r\n\r\n", "3;x\r\nabc\r\n0\r\n\r\n", "3 \r\nabc\r\n0\r\n\r\n", "3\nabc\n0\n\n", "+3\r\nabc\r\n0\r\n\r\n",
              "0x3\r\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "3\r\nabc0\r\n\r\n", "\r\n", "0\r\nX: y\r\n\r\n", "0\r\nX : y\r\n\r\n",
              "0\r\nContent-Length: 3\r\n\r\n", "0\r\n folded\r\n\r\n", "ffffffffffffffffff\r\nabc", "3;\x00\r\nabc\r\n0\r\n\r\n",
              "003\r\nabc\r\n00\r\n\r\n", "3\r\nabc\r\n0\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", "abcGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
              "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n", "-1\r\nabc", "3\r\nabc\r0\r\n\r\n"]
    ends = ["\r\n"] * 40 + ["\n", "\r", "\r\r\n", "\r\n "]

    def __init__(self, seed):
        self.source = random.Random(seed)
        self.request_seeds = [path.read_bytes() for path in sorted((fixtures / "Requests").iterdir())]
        self.response_seeds = [path.read_bytes() for path in sorted((fixtures / "Responses").iterdir()) if path.name.startswith("GET")]

    def made_up(self, is_request):
        choose = self.source.choice
        lines = [choose(self.starts if is_request else self.statuses) if self.source.random() < 0.6 else
                 ("POST / HTTP/1.1" if is_request else "HTTP/1.1 200 OK")]
        if is_request and self.source.random() < 0.8:
            lines.append("Host: a")
        lines += [choose(self.lines) for _ in range(self.source.choice([0, 0, 1, 1, 2, 3]))]
        text = "".join(line + choose(self.ends) for line in lines) + choose(self.ends) + choose(self.bodies)
        return text.encode("latin-1")

    def mutated(self, is_request):
        data = bytearray(self.source.choice(self.request_seeds if is_request else self.response_seeds))
        for _ in range(self.source.randint(1, 3)):
            at = self.source.randrange(len(data) + 1)
            kind = self.source.randrange(4)
            if kind == 0 and at < len(data):
                data[at] = self.source.choice(b"\x00\t\n\r :;,0159aAzZ\x7f\x80\xff" + bytes([data[at] ^ 0x20]))
            elif kind == 1:
                data[at:at + self.source.randint(1, 4)] = b""
            elif kind == 2:
                data[at:at] = self.source.choice([b"\r\n", b"\n", b"\r", b" ", b"\t", b"\x00", b"0", b";", b":", b","])
            else:
                other = self.source.randrange(len(data) + 1)
                data[at:at] = data[other:other + self.source.randint(1, 40)]
        return bytes(data)

    def messages(self, count):
        for is_request, seeds in ((True, self.request_seeds), (False, self.response_seeds)):
            yield from ((is_request, seed) for seed in seeds)
        for _ in range(count):
            is_request = self.source.random() < 0.7
            yield is_request, self.made_up(is_request) if self.source.random() < 0.5 else self.mutated(is_request)


def probe(path, messages):
    stream = b"".join((b"Q" if is_request else b"S") + struct.pack("!I", len(data)) + data for is_request, data in messages)
    answer = subprocess.run([path], input=stream, stdout=subprocess.PIPE, check=True).stdout
    verdicts = [json.loads(line) for line in answer.splitlines()]
    if len(verdicts) != len(messages):
        sys.exit(f"the probe answered {len(verdicts)} of {len(messages)} messages")
    return verdicts


def meaning_differs(ours, theirs):
    return (ours["ends"] != theirs[2] or len(ours["heads"]) != len(theirs[0]) or ours["bodies"] != theirs[1]
            or any(not same_head(a, b) for a, b in zip(ours["heads"], theirs[0])))


def same_head(ours, theirs):
    """Ours turns absolute URLs to paths, so targets are compared only where h11 saw a path."""
    return ours == theirs or not theirs.partition(" ")[2].startswith("/") and ours.partition(" ")[0] == theirs.partition(" ")[0]


def judge(data, ours, theirs):
    """What the two verdicts are to each other, and whether that is a finding."""
    if b"HTTP/1.0" in data and b"keep-alive" in data.lower() and len(ours["heads"]) > len(theirs[0]) > 0:
        return "ours keeps HTTP/1.0 connections that ask for it", False
    if theirs[3] is not None:
        if ours["error"] is None or ours["ends"] > theirs[2]:
            return "h11 refuses, ours accepts", True
        return "both refuse", False
    if ours["error"] is None:
        return ("both accept, with another meaning", True) if meaning_differs(ours, theirs) else ("both accept", False)
    got_further = theirs[2] > ours["ends"] or len(theirs[0]) > len(ours["heads"]) or theirs[1] != ours["bodies"]
    if not got_further:
        return "ours refuses while h11 waits for more", False
    return "stricter: " + ours["error"], ours["error"] not in STRICTER


def main():
    path = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 32)
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 20000
    messages = list(Maker(seed).messages(count))
    tally, findings = collections.Counter(), []
    for (is_request, data), ours in zip(messages, probe(path, messages)):
        ours["bodies"] = [bytes.fromhex(body) for body in ours["bodies"]]
        theirs = of_requests(data) if is_request else of_response(data)
        relation, is_finding = judge(data, ours, theirs)
        tally[relation] += 1
        if is_finding:
            findings.append((relation, data, ours, theirs))
    print(f"h11 {h11.__version__}: {len(messages)} messages, seed {seed}")
    for relation, number in tally.most_common():
        reason = STRICTER.get(relation.removeprefix("stricter: "), "")
        print(f"{number:8} {relation}" + (f" ({reason})" if reason else ""))
    for what, data, ours, theirs in findings[:10]:
        print(f"\n{what}\n  {data!r}\n  ours   {ours}\n  theirs {theirs}")
    if findings:
        sys.exit(f"{len(findings)} findings; repeat them with seed {seed}")


main()
