import TestSupport
import Testing

@testable import TunnelWire

struct FieldEditsTests {
    private func edits(
        _ direction: FieldEdits.Direction = .request, remove: [String] = [], add: [(String, String)] = []
    ) throws -> FieldEdits {
        var edits = FieldEdits(direction)
        for name in remove { try edits.remove(name) }
        for (name, value) in add { try edits.add(name, value) }
        return edits
    }

    @Test func `fields are taken out first, then put in behind the others`() throws {
        let edits = try edits(remove: ["X-Old", "cookie"], add: [("X-New", "1"), ("Cookie", "own=1"), ("x-new", "2")])
        let fields = HTTPFields([("x-old", "a"), ("accept", "*/*"), ("cookie", "a=1"), ("x-old", "b"), ("cookie", "b=2")])
        #expect(edits.applied(to: fields).lines == ["accept: */*", "x-new: 1", "cookie: own=1", "x-new: 2"])
    }

    @Test(arguments: [
        "host", "content-length", "transfer-encoding", "Connection", "upgrade", "X-Forwarded-For", "x_forwarded_for",
        "forwarded",
        "inkbox-path", "inkbox-anything", "sec-websocket-key", "sec-websocket-protocol", "te",
    ])
    func `what belongs to connection, framing or tunnel is not changed in a request`(name: String) {
        #expect(throws: FieldEditError.reservedName(name.lowercased())) { try edits(remove: [name]) }
        #expect(throws: FieldEditError.reservedName(name.lowercased())) { try edits(add: [(name, "x")]) }
    }

    @Test(arguments: ["content-length", "transfer-encoding", "connection", "inkbox-reason", "sec-websocket-accept"])
    func `nor in a response`(name: String) {
        #expect(throws: FieldEditError.reservedName(name)) { try edits(.response, add: [(name, "x")]) }
    }

    @Test func `a response's own fields can be changed`() throws {
        let edits = try edits(.response, remove: ["server"], add: [("strict-transport-security", "max-age=1")])
        #expect(edits.applied(to: HTTPFields([("server", "x")])).lines == ["strict-transport-security: max-age=1"])
    }

    @Test(arguments: ["", "a b", "a:b", "ä", "a\r\nb"])
    func `a bad name is told`(name: String) {
        #expect(throws: FieldEditError.illegalName(name)) { try edits(remove: [name]) }
    }

    @Test(arguments: ["a\r\nb: c", " a", "a\t", "\0", "a\u{7F}"])
    func `a value that would end its line is told`(value: String) {
        #expect(throws: FieldEditError.illegalValue(of: "x-a")) { try edits(add: [("x-a", value)]) }
    }

    @Test func `what was removed is gone, what was added is there, all else is as it was`() throws {
        let names = ["a", "b", "x-c", "cookie", "accept"]
        try checkProperty { sample in
            let given = sample.list(upTo: 8) { sample in
                (sample.element(of: names), sample.text(of: "a ;=", count: 0...3))
            }
            var edits = FieldEdits(.request)
            let removed = sample.list(upTo: 3) { $0.element(of: names) }
            let added = sample.list(upTo: 3) { ($0.element(of: names), $0.text(of: "vw", count: 0...2)) }
            for name in removed { try edits.remove(name) }
            for (name, value) in added { try edits.add(name, value) }
            let expected = given.filter { !removed.contains($0.0) } + added
            try sample.check(
                edits.applied(to: HTTPFields(given)).lines, is: expected.map { "\($0.0): \($0.1)" }, "the header")
            try sample.check(edits.isEmpty, is: removed.isEmpty && added.isEmpty)
        }
    }
}
