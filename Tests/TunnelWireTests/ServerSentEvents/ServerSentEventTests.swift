import Testing
import TunnelWire

struct ServerSentEventTests {
    private static func text(_ event: ServerSentEvent) -> String {
        var bytes: [UInt8] = []
        event.append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(
        arguments: [
            ("7", #"{"a":1}"#, "id: 7\nevent: tunnel.created\ndata: {\"a\":1}\n\n"),
            (nil, "", "event: tunnel.created\ndata: \n\n"),
            // Every way to end a line ends one, so that no text can begin a field of its own.
            (
                "7", "a\nid: 8\r\nb\rc\n\nd",
                "id: 7\nevent: tunnel.created\ndata: a\ndata: id: 8\ndata: b\ndata: c\ndata: \ndata: d\n\n"
            ),
            ("7", "\r\n", "id: 7\nevent: tunnel.created\ndata: \ndata: \n\n"),
            ("7", "e\u{301}\u{2028}🚇", "id: 7\nevent: tunnel.created\ndata: e\u{301}\u{2028}🚇\n\n"),
        ] as [(String?, String, String)])
    func `an event is fields on lines of their own and an empty line`(id: String?, data: String, text: String) {
        #expect(Self.text(ServerSentEvent(id: id, name: "tunnel.created", data: data)) == text)
    }

    @Test func `a comment may move the place to resume from, without an event`() {
        var bytes: [UInt8] = []
        ServerSentEvent.append(comment: "keep-alive", to: &bytes)
        ServerSentEvent.append(comment: "keep-alive", id: "9", to: &bytes)
        ServerSentEvent.append(retryMilliseconds: 2_000, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == ": keep-alive\n\n: keep-alive\nid: 9\n\nretry: 2000\n\n")
    }

    @Test(arguments: ["a\nb", "a\rb", ""])
    func `a name of several lines or none is our own mistake`(name: String) async {
        await #expect(processExitsWith: .failure) { [name] in _ = ServerSentEvent(id: nil, name: name, data: "") }
    }
}
