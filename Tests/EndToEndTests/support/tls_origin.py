"""Local servers behind `--tls-passthrough-to`: what arrives there must be what the third party sent, byte by byte."""
import socket
import threading


class RawServer:
    """Accepts TCP and hands each connection to the test's function, in a thread of its own."""

    def __init__(self, serve):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.serve, self.problems = serve, []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.run, args=(sock,), daemon=True).start()

    def run(self, sock):
        with sock:
            try:
                self.serve(sock)
            except Exception as problem:  # noqa: BLE001 - the test reads it
                self.problems.append(problem)

    def close(self):
        # Without this the thread that waits in accept would keep the socket open.
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()


def read_exactly(sock, count):
    data = bytearray()
    while len(data) < count:
        piece = sock.recv(min(65536, count - len(data)))
        if not piece:
            raise ConnectionError(f"{len(data)} of {count} bytes came")
        data += piece
    return bytes(data)
