"""TLS for two threads, one that reads and one that writes: an OpenSSL session by itself is made for one at a time."""
import socket
import ssl
import threading

CHUNK = 1 << 16


class SharedTLS:
    """A connection to a port of this machine; the session is locked only while it works on bytes in memory."""

    def __init__(self, port, context, server_name):
        self.tcp = socket.create_connection(("127.0.0.1", port))
        self.tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.session = context.wrap_bio(self.incoming, self.outgoing, server_hostname=server_name)
        self.turn, self.writing = threading.Lock(), threading.Lock()
        self._shake_hands()

    def _shake_hands(self):
        while True:
            try:
                self.session.do_handshake()
                return self.tcp.sendall(self.outgoing.read())
            except ssl.SSLWantReadError:
                self.tcp.sendall(self.outgoing.read())
                self._take()

    def _take(self):
        """Waits for bytes; False when the peer has closed."""
        data = self.tcp.recv(CHUNK)
        with self.turn:
            self.incoming.write(data) if data else self.incoming.write_eof()
        return bool(data)

    def sendall(self, data):
        with self.writing:
            with self.turn:
                self.session.write(data)
                records = self.outgoing.read()
            self.tcp.sendall(records)

    def recv(self, count):
        """Some bytes; none when the peer has closed."""
        while True:
            with self.turn:
                try:
                    return self.session.read(count)
                except ssl.SSLWantReadError:
                    pass
                except ssl.SSLZeroReturnError:
                    return b""
            if not self._take():
                return b""

    def cut(self):
        """Ends the TCP connection without a farewell."""
        try:
            self.tcp.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def half_close(self):
        """Says at the level of TCP that nothing follows."""
        try:
            self.tcp.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.tcp.close()


def through_tls(port, context, server_name):
    """A plain socket whose other end is a TLS connection to this port: for clients that read and write in two threads."""
    near, far = socket.socketpair()
    tls = SharedTLS(port, context, server_name)

    def up():
        has_failed = False
        while data := far.recv(CHUNK):
            try:
                has_failed or tls.sendall(data)
            except OSError:
                has_failed = True  # what the peer said before it stopped reading is still to be delivered
        has_failed or tls.half_close()

    def down():
        try:
            while data := tls.recv(CHUNK):
                far.sendall(data)
        except OSError:
            pass  # either end has gone; so goes the other
        finally:
            far.shutdown(socket.SHUT_WR)
            writer.join()
            far.close()
            tls.close()
    writer = threading.Thread(target=up, daemon=True)
    writer.start()
    threading.Thread(target=down, daemon=True).start()
    return near
