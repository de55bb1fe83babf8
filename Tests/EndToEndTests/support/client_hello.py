"""TLS as bytes: a ClientHello for a name, made by OpenSSL through Python, and alerts read from the wire."""
import socket
import ssl

ALERTS = {49: "access_denied", 80: "internal_error", 112: "unrecognized_name"}


def client_hello(name, **options):
    """The first flight of a client that asks for the name."""
    context = ssl.create_default_context()
    for key, value in options.items():
        setattr(context, key, value)
    if name is None:
        context.check_hostname = False
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def read_all(sock):
    """All that comes until the peer ends its side; a reset is told as one."""
    data = b""
    while True:
        try:
            piece = sock.recv(65536)
        except ConnectionResetError:
            return data, "reset"
        if not piece:
            return data, "end"
        data += piece


def alert_for(port, first, then=b"", timeout=20):
    """The name of the fatal alert that these bytes are answered with; it must arrive whole and with a proper end."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as sock:
        sock.sendall(first)
        if then:
            sock.sendall(then)
        data, how = read_all(sock)
    assert len(data) == 7 and data[:2] == b"\x15\x03" and data[3:6] == b"\x00\x02\x02", (data[:100], how)
    assert how == "end", how
    return ALERTS.get(data[6], data[6])
