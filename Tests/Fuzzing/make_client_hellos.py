"""Writes Fixtures/Wire/ClientHello: first flights as OpenSSL sends them, made-up ones, and expected.tsv with the answers.

Columns: file, answer, server name (- when there is none), protocols joined by commas (- when there are none).
"""

import pathlib
import ssl
import struct

folder = pathlib.Path(__file__).resolve().parents[2] / "Fixtures/Wire/ClientHello"
folder.mkdir(parents=True, exist_ok=True)
rows = []


def write(name, data, answer, server_name="-", protocols="-"):
    (folder / f"{name}.bin").write_bytes(data)
    rows.append("\t".join([name, answer, server_name, protocols]))


def real(name, server_name, protocols=(), minimum=None, maximum=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if minimum:
        context.minimum_version = minimum
    if maximum:
        context.maximum_version = maximum
    if protocols:
        context.set_alpn_protocols(list(protocols))
    outgoing = ssl.MemoryBIO()
    session = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=server_name)
    try:
        session.do_handshake()
    except ssl.SSLWantReadError:
        pass
    data = outgoing.read()
    write(name, data, "hello", (server_name or "-").lower(), ",".join(protocols) or "-")
    return data


def vector(size, data):
    return len(data).to_bytes(size, "big") + data


def extension(kind, data):
    return struct.pack("!H", kind) + vector(2, data)


def server_name(*names, kind=0):
    return extension(0, vector(2, b"".join(bytes([kind]) + vector(2, name) for name in names)))


def alpn(*names):
    return extension(16, vector(2, b"".join(vector(1, name) for name in names)))


def hello(extensions=b"", session_id=b"\x07" * 32, ciphers=b"\x13\x01\x13\x02", compressions=b"\x00", with_extensions=True):
    body = b"\x03\x03" + b"\x2a" * 32 + vector(1, session_id) + vector(2, ciphers) + vector(1, compressions)
    return body + (vector(2, extensions) if with_extensions else b"")


def message(body, kind=1):
    return bytes([kind]) + vector(3, body)


def records(data, size=16384, version=b"\x03\x01"):
    return b"".join(b"\x16" + version + vector(2, data[i:i + size]) for i in range(0, len(data), size))


plain = server_name(b"my-agent.localhost") + alpn(b"h2", b"http/1.1")
whole = message(hello(plain))

real("openssl-tls13", "my-agent.localhost", ("h2", "http/1.1"))
real("openssl-tls12-only", "My-Agent.localhost", ("http/1.1",), maximum=ssl.TLSVersion.TLSv1_2)
real("openssl-no-alpn", "a.b.example")
real("openssl-no-name", None, ("h2",))
write("records-of-one-byte", records(whole, 1), "hello", "my-agent.localhost", "h2,http/1.1")
write("records-of-sixty", records(whole, 60), "hello", "my-agent.localhost", "h2,http/1.1")
grease = extension(0x0A0A, b"") + server_name(b"a.example") + extension(0xFAFA, b"\x00") + alpn(b"\x8a\x8a", b"h2")
write("grease", records(message(hello(grease, ciphers=b"\x1a\x1a\x13\x01"))), "hello", "a.example", "\ufffd\ufffd,h2")
write("encrypted-client-hello", records(message(hello(plain + extension(0xFE0D, b"\x00" * 200)))), "hello",
      "my-agent.localhost", "h2,http/1.1")
write("post-quantum-size", records(message(hello(extension(51, b"\x11" * 1300) + plain))), "hello", "my-agent.localhost",
      "h2,http/1.1")
write("no-extensions", records(message(hello(with_extensions=False))), "hello")
write("empty-extensions", records(message(hello())), "hello")
write("name-with-final-dot", records(message(hello(server_name(b"A.example.")))), "hello", "a.example")
write("address-as-name", records(message(hello(server_name(b"192.0.2.1")))), "hello")
write("more-after-it", records(whole) + b"\x14\x03\x03\x00\x01\x01", "hello", "my-agent.localhost", "h2,http/1.1")
write("early-data-after-it", records(whole + b"\x00" * 20), "hello", "my-agent.localhost", "h2,http/1.1")

write("plain-http", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "notTLS")
write("ssh", b"SSH-2.0-OpenSSH_9.2\r\n", "notTLS")
write("sslv2", b"\x80\x2e\x01\x00\x02" + b"\x00" * 42, "notTLS")
write("handshake-of-version-two", b"\x16\x02\x00\x00\x05" + b"\x00" * 5, "notTLS")
write("alert-first", b"\x15\x03\x01\x00\x02\x02\x28", "notTLS")

for cut in (1, 4, 5, 6, 40, len(records(whole)) - 1):
    write(f"cut-after-{cut}", records(whole)[:cut], "needMore")

bad = {
    "empty-record": b"\x16\x03\x01\x00\x00", "record-too-large": b"\x16\x03\x01\x40\x01",
    "second-record-of-other-kind": records(whole[:50]) + b"\x17\x03\x01\x00\x05hello",
    "second-record-of-other-version": records(whole[:50]) + b"\x16\x02\x01\x00\x05hello",
    "server-hello": records(message(hello(plain), kind=2)), "huge-message": records(b"\x01\x00\x50\x00" + b"x" * 100),
    "short-message": records(message(b"\x03\x03")), "session-id-too-long": records(message(hello(plain, session_id=b"x" * 33))),
    "odd-ciphers": records(message(hello(plain, ciphers=b"\x13\x01\x13"))), "no-ciphers": records(message(hello(plain, ciphers=b""))),
    "no-compressions": records(message(hello(plain, compressions=b""))),
    "rest-after-extensions": records(message(hello(plain) + b"x")),
    "extensions-cut": records(message(hello(with_extensions=False) + b"\x00\x10\x00\x00")),
    "extension-too-long": records(message(hello(b"\x00\x05\x00\x09abc"))), "half-extension": records(message(hello(b"\x00\x05\x00"))),
    "two-server-name-extensions": records(message(hello(server_name(b"a.b") + server_name(b"a.b")))),
    "two-names": records(message(hello(server_name(b"a.b", b"c.d")))), "name-of-other-kind": records(message(hello(server_name(b"a.b", kind=1)))),
    "empty-name": records(message(hello(server_name(b"")))), "empty-name-list": records(message(hello(server_name()))),
    "name-with-nul": records(message(hello(server_name(b"a.b\x00.evil")))), "name-with-slash": records(message(hello(server_name(b"a/b")))),
    "name-with-port": records(message(hello(server_name(b"a:443")))), "name-too-long": records(message(hello(server_name(b"a." * 128)))),
    "name-list-lies": records(message(hello(extension(0, b"\x00\x09\x00\x00\x03a.b")))),
    "name-lies": records(message(hello(extension(0, b"\x00\x06\x00\x00\x09a.b")))),
    "two-alpn-extensions": records(message(hello(alpn(b"h2") + alpn(b"h2")))), "empty-alpn": records(message(hello(alpn()))),
    "empty-protocol": records(message(hello(alpn(b"h2", b"")))), "protocol-lies": records(message(hello(extension(16, b"\x00\x03\x05h2")))),
    "too-large": records(message(hello(extension(51, b"\x11" * 16384) + plain)), 4000),
}
for name, data in bad.items():
    write(name, data, "malformed")

(folder / "expected.tsv").write_text("".join(row + "\n" for row in rows), encoding="utf-8")
print(f"{len(rows)} hellos")
