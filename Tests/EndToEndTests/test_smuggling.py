"""Every way to say one message and mean two is refused: 4xx, a closed connection, and not a byte at the local program."""
import pytest

H = "Host: {host}\r\n"
BAD_HEADS = {
    "both lengths": "POST / HTTP/1.1\r\n" + H + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
    "both lengths, coding first": "POST / HTTP/1.1\r\n" + H + "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG",
    "two differing lengths": "POST / HTTP/1.1\r\n" + H + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "a list of differing lengths": "POST / HTTP/1.1\r\n" + H + "Content-Length: 5, 6\r\n\r\nhello!",
    "a signed length": "POST / HTTP/1.1\r\n" + H + "Content-Length: +5\r\n\r\nhello",
    "a negative length": "POST / HTTP/1.1\r\n" + H + "Content-Length: -5\r\n\r\nhello",
    "a hexadecimal length": "POST / HTTP/1.1\r\n" + H + "Content-Length: 0x5\r\n\r\nhello",
    "a length with a space inside": "POST / HTTP/1.1\r\n" + H + "Content-Length: 5 5\r\n\r\nhello",
    "an empty length": "POST / HTTP/1.1\r\n" + H + "Content-Length: \r\n\r\n",
    "a length past 64 bits": "POST / HTTP/1.1\r\n" + H + "Content-Length: 18446744073709551621\r\n\r\nhello",
    "a length that is no number": "POST / HTTP/1.1\r\n" + H + "Content-Length: five\r\n\r\nhello",
    "an unknown coding": "POST / HTTP/1.1\r\n" + H + "Transfer-Encoding: gzip\r\n\r\n",
    "a coding before chunked": "POST / HTTP/1.1\r\n" + H + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a coding after chunked": "POST / HTTP/1.1\r\n" + H + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked twice": "POST / HTTP/1.1\r\n" + H + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "two coding headers": "POST / HTTP/1.1\r\n" + H + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "a coding with a tab-hidden tail": "POST / HTTP/1.1\r\n" + H + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a quoted coding": "POST / HTTP/1.1\r\n" + H + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
    "an empty coding": "POST / HTTP/1.1\r\n" + H + "Transfer-Encoding: \r\n\r\n0\r\n\r\n",
    "a coding in HTTP/1.0": "POST / HTTP/1.0\r\n" + H + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a folded header": "GET / HTTP/1.1\r\n" + H + "X-A: one\r\n two\r\n\r\n",
    "a folded first header": "GET / HTTP/1.1\r\n " + H + "\r\n",
    "a header hidden behind a tab": "GET / HTTP/1.1\r\n" + H + "\tX-A: one\r\n\r\n",
    "bare LF after the request line": "GET / HTTP/1.1\n" + H + "\r\n",
    "bare LF after a header": "GET / HTTP/1.1\r\n" + H + "X-A: one\n\r\n",
    "bare LF at the end of the head": "GET / HTTP/1.1\r\n" + H + "\n",
    "bare CR inside a value": "GET / HTTP/1.1\r\n" + H + "X-A: one\rX-B: two\r\n\r\n",
    "NUL in a value": "GET / HTTP/1.1\r\n" + H + "X-A: o\0ne\r\n\r\n",
    "NUL in a name": "GET / HTTP/1.1\r\n" + H + "X\0A: one\r\n\r\n",
    "NUL in the target": "GET /\0 HTTP/1.1\r\n" + H + "\r\n",
    "space before the colon": "GET / HTTP/1.1\r\n" + H + "X-A : one\r\n\r\n",
    "space before the colon of a length": "POST / HTTP/1.1\r\n" + H + "Content-Length : 5\r\n\r\nhello",
    "a name with a space": "GET / HTTP/1.1\r\n" + H + "X A: one\r\n\r\n",
    "an empty name": "GET / HTTP/1.1\r\n" + H + ": one\r\n\r\n",
    "a line without colon": "GET / HTTP/1.1\r\n" + H + "X-A\r\n\r\n",
    "a control byte in a value": "GET / HTTP/1.1\r\n" + H + "X-A: o\x01ne\r\n\r\n",
    "DEL in a value": "GET / HTTP/1.1\r\n" + H + "X-A: o\x7fne\r\n\r\n",
    "a name that is not ASCII": "GET / HTTP/1.1\r\n" + H + "X-\xe9: one\r\n\r\n",
    "no host": "GET / HTTP/1.1\r\n\r\n",
    "two hosts": "GET / HTTP/1.1\r\n" + H + H + "\r\n",
    "two differing hosts": "GET / HTTP/1.1\r\n" + H + "Host: other.localhost\r\n\r\n",
    "an empty host": "GET / HTTP/1.1\r\nHost: \r\n\r\n",
    "a host with a path": "GET / HTTP/1.1\r\nHost: {host}/x\r\n\r\n",
    "a host with a user": "GET / HTTP/1.1\r\nHost: me@{host}\r\n\r\n",
    "a host with a space": "GET / HTTP/1.1\r\nHost: {host} x\r\n\r\n",
    "a host with a comma": "GET / HTTP/1.1\r\nHost: {host},{host}\r\n\r\n",
    "a host with a bad port": "GET / HTTP/1.1\r\nHost: {host}:99999\r\n\r\n",
    "an absolute target that disagrees with the host": "GET http://other.localhost/ HTTP/1.1\r\n" + H + "\r\n",
    "a relative target": "GET index.html HTTP/1.1\r\n" + H + "\r\n",
    "a fragment in the target": "GET /#x HTTP/1.1\r\n" + H + "\r\n",
    "a target with a raw space": "GET /a b HTTP/1.1\r\n" + H + "\r\n",
    "a target with a tab": "GET /a\tb HTTP/1.1\r\n" + H + "\r\n",
    "two spaces in the request line": "GET  / HTTP/1.1\r\n" + H + "\r\n",
    "a space before the request line": " GET / HTTP/1.1\r\n" + H + "\r\n",
    "a space after the request line": "GET / HTTP/1.1 \r\n" + H + "\r\n",
    "no target": "GET HTTP/1.1\r\n" + H + "\r\n",
    "an empty request line": "\r\n\r\n\r\n\r\nGARBAGE\r\n\r\n",
    "a method that is no token": "G(T / HTTP/1.1\r\n" + H + "\r\n",
    "HTTP/0.9": "GET /\r\n\r\n",
    "HTTP/1.2 with words": "GET / HTTP/1.1x\r\n" + H + "\r\n",
    "HTTP/3.0": "GET / HTTP/3.0\r\n" + H + "\r\n",
    "a lower-case version": "GET / http/1.1\r\n" + H + "\r\n",
    "TLS on the plain port": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "\x00" * 64 + "\r\n\r\n",
}
CHUNKS = "POST / HTTP/1.1\r\n" + H + "Transfer-Encoding: chunked\r\n\r\n"
BAD_CHUNKS = {
    "a size that is no number": "xyz\r\nhello\r\n0\r\n\r\n",
    "a signed size": "+5\r\nhello\r\n0\r\n\r\n",
    "a negative size": "-5\r\nhello\r\n0\r\n\r\n",
    "a size with 0x": "0x5\r\nhello\r\n0\r\n\r\n",
    "a size past 64 bits": "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    "an empty size": "\r\nhello\r\n0\r\n\r\n",
    "a space before the size": " 5\r\nhello\r\n0\r\n\r\n",
    "bare LF after the size": "5\nhello\r\n0\r\n\r\n",
    "bare LF after the data": "5\r\nhello\n0\r\n\r\n",
    "no CRLF after the data": "5\r\nhelloX\r\n0\r\n\r\n",
    "bare CR in the size line": "5\rX\r\nhello\r\n0\r\n\r\n",
    "bare LF inside an extension": "5;a\n\r\nhello\r\n0\r\n\r\n",
    "bare LF after the last chunk": "5\r\nhello\r\n0\n\r\n",
    "NUL in an extension": "5;\0\r\nhello\r\n0\r\n\r\n",
    "an endless extension": "5;" + "a" * 100_000 + "\r\nhello\r\n0\r\n\r\n",
    "a trailer without colon": "5\r\nhello\r\n0\r\nX\r\n\r\n",
    "a folded trailer": "5\r\nhello\r\n0\r\nX: 1\r\n 2\r\n\r\n",
}
AFTER = "GET /smuggled HTTP/1.1\r\nHost: {host}\r\n\r\n"


def refused(route, data, before):
    with route.service.plain(timeout=15) as wire:
        try:
            wire.send((data + AFTER).format(host=route.host))
            answer = wire.response()
        except ConnectionError:
            answer = None  # cut off while we were still sending: refused all the same
        if answer is not None:
            assert 400 <= answer.status <= 505 and answer.status != 404, f"not refused: {answer}"
            assert wire.rest() == b"", "something was answered after the refusal"
    assert "/smuggled" not in route.origin.targets(), "the request behind it reached the local program"
    return answer


@pytest.mark.parametrize("name", BAD_HEADS)
def test_a_head_that_could_mean_two_things_is_refused(route, name):
    before = len(route.origin.targets())
    answer = refused(route, BAD_HEADS[name], before)
    assert answer is not None and answer.status < 506
    assert len(route.origin.targets()) == before, "it reached the local program"


@pytest.mark.parametrize("name", BAD_CHUNKS)
def test_a_chunk_that_could_mean_two_things_is_refused(route, name):
    """The head was good, so the local program may have seen a request begin; it must never see it end well, or another."""
    ended_well = []

    def script(e):
        e.body()
        ended_well.append(e.target)
        e.answer()
    route.origin.on("/chunk", script)
    refused(route, CHUNKS.replace("POST /", "POST /chunk", 1) + BAD_CHUNKS[name], 0)
    assert ended_well == []
    assert route.get("/well").status == 200


@pytest.mark.parametrize("name", ["both lengths", "two differing lengths", "a folded header", "no host", "bare LF after a header"])
def test_the_refusal_is_a_400(route, name):
    with route.service.plain() as wire:
        wire.send(BAD_HEADS[name].format(host=route.host))
        assert wire.response().status == 400
        assert wire.is_closed()


def test_equal_repeated_lengths_mean_one_thing_or_are_refused(route):
    with route.service.plain() as wire:
        wire.send(f"POST /equal HTTP/1.1\r\nHost: {route.host}\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello")
        answer = wire.response()
        assert answer.status == 400 or answer.json()["body"] == "hello"


def test_an_absolute_target_that_agrees_with_the_host_is_served(route):
    with route.service.plain() as wire:
        wire.send(f"GET http://{route.host}/abs?x=1 HTTP/1.1\r\nHost: {route.host}\r\n\r\n")
        assert wire.response().json()["target"] == "/abs?x=1"


def test_what_is_forwarded_is_written_anew(route):
    with route.service.plain() as wire:
        wire.send(f"POST /canon HTTP/1.1\r\nhOsT:{route.host}\r\nX-Pad:   \t padded \t \r\ncontent-length: 0005\r\n\r\nhello")
        answer = wire.response()
        if answer.status == 200:
            saw = dict((k.lower(), v) for k, v in answer.json()["headers"])
            assert saw["x-pad"] == "padded" and saw.get("content-length", "5") == "5"
        else:
            assert answer.status == 400


def test_the_smallest_writes_parse_like_one(route):
    with route.service.plain() as wire:
        for byte in f"POST /drip HTTP/1.1\r\nHost: {route.host}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".encode():
            wire.send(bytes([byte]))
        assert wire.response().json()["body"] == "hello"
