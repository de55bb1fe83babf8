internal import Testing
internal import TunnelClient

struct ServerSentEventParserTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        var output: [ServerSentEventOutput]
        var testDescription: String { name }

        init(_ name: String, _ text: String, _ output: [ServerSentEventOutput]) {
            self.name = name
            self.text = text
            self.output = output
        }
    }

    private static func event(_ data: String, _ type: String = "message", id: String? = nil) -> ServerSentEventOutput {
        .event(ReceivedEvent(lastEventID: id, type: type, data: data))
    }

    static let examples = [
        Example("lines of data are joined", "data: YHOO\ndata: +2\ndata: 10\n\n", [event("YHOO\n+2\n10")]),
        Example(
            "comments, ids and what has no colon",
            ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
            [
                .comment("test stream"), event("first event", id: "1"), event("second event", id: ""),
                event(" third event", id: ""),
            ]),
        Example("empty data is an event, no data is none", "data\n\ndata\ndata\n\ndata:", [event(""), event("\n")]),
        Example("one blank behind the colon is dropped", "data:test\n\ndata: test\n\n", [event("test"), event("test")]),
        Example("a type lasts for one event", "event: add\ndata: 1\n\ndata: 2\n\n", [event("1", "add"), event("2")]),
        Example(
            "CR, LF and CRLF end lines alike", "data: a\r\rdata: b\n\ndata: c\r\n\r\n", [event("a"), event("b"), event("c")]),
        Example("CRLF does not end two lines", "data: a\r\ndata: b\r\n\r\n", [event("a\nb")]),
        Example("a byte order mark is skipped, once", "\u{FEFF}data: a\n\n\u{FEFF}data: b\n\n", [event("a")]),
        Example(
            "an id with NUL is ignored", "id: 7\ndata: a\n\nid: 8\u{0}9\ndata: b\n\n",
            [event("a", id: "7"), event("b", id: "7")]),
        Example(
            "an id without an event moves the place", "data: a\nid: 1\n\nid: 5\n\ndata: b\n\n",
            [event("a", id: "1"), .place("5"), event("b", id: "5")]),
        Example(
            "a retry is a number of milliseconds", "retry: 2500\n\nretry: 1.5\nretry: -1\nretry:\n\n",
            [.retry(milliseconds: 2_500)]),
        Example(
            "a retry beyond reason is cut", "retry: 99999999999999999999999\n\n",
            [.retry(milliseconds: ServerSentEventParser.retryMillisecondsMax)]),
        Example("unknown fields are ignored, case tells names apart", "Data: x\nfoo: y\ndata: z\n\n", [event("z")]),
        Example("an event that is not ended is none", "data: a\n\ndata: b\nid: 9\n", [event("a")]),
        Example("letters of several bytes", "data: é漢🙂\n\n", [event("é漢🙂")]),
        Example(
            "a comment within an event leaves it whole", "data: a\n: still here\ndata: b\n\n",
            [.comment("still here"), event("a\nb")]),
    ]

    @Test(arguments: examples)
    func `a stream says what the standard says it says`(example: Example) throws {
        var parser = ServerSentEventParser()
        #expect(try parser.receive(Array(example.text.utf8)) == example.output)
    }

    @Test(arguments: examples)
    func `where the bytes are cut makes no difference`(example: Example) throws {
        let bytes = Array(example.text.utf8)
        for cut in 0...bytes.count {
            var parser = ServerSentEventParser()
            let first = try parser.receive(bytes[..<cut])
            #expect(first + (try parser.receive(bytes[cut...])) == example.output, "cut at \(cut)")
        }
        var parser = ServerSentEventParser()
        var output: [ServerSentEventOutput] = []
        for byte in bytes { output += try parser.receive(CollectionOfOne(byte)) }
        #expect(output == example.output, "byte by byte")
    }

    @Test func `any two cuts make no difference either`() throws {
        let bytes = Array("\u{FEFF}: hello\r\nid: 1\r\nevent: é\r\ndata: a\r\ndata: b\r\n\r\nretry: 10\r\rid: 2\n\n".utf8)
        var whole = ServerSentEventParser()
        let expected = try whole.receive(bytes)
        #expect(expected.count == 4)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                var parser = ServerSentEventParser()
                var output = try parser.receive(bytes[..<first])
                output += try parser.receive(bytes[first..<second])
                output += try parser.receive(bytes[second...])
                #expect(output == expected, "cut at \(first) and \(second)")
            }
        }
    }

    @Test func `the longest event is read, a longer one is refused`() throws {
        let room = ServerSentEventParser.eventByteCountMax - "data:".utf8.count
        var parser = ServerSentEventParser()
        let output = try parser.receive(Array(("data:" + String(repeating: "x", count: room) + "\n\n").utf8))
        #expect(output == [Self.event(String(repeating: "x", count: room))])
        #expect(throws: ServerSentEventParser.TooLong.self) {
            try parser.receive(Array(("data:" + String(repeating: "x", count: room + 1)).utf8))
        }
    }

    @Test func `comments without end are no long event`() throws {
        var parser = ServerSentEventParser()
        let comment = Array((": " + String(repeating: "x", count: 1_022) + "\n").utf8)
        for _ in 0..<1_100 { _ = try parser.receive(comment) }
        #expect(try parser.receive(Array("data: a\n\n".utf8)) == [Self.event("a")])
    }
}
