import TestSupport
import Testing

@testable import TunnelWire

struct HTTPFieldsTests {
    @Test func `fields keep order, repeats and bytes; names are folded`() {
        let fields = HTTPFields([("Set-Cookie", "a"), ("X-Odd", ""), ("SET-COOKIE", "b é"), ("Host", "h")])
        #expect(fields.lines == ["set-cookie: a", "x-odd: ", "set-cookie: b é", "host: h"])
        #expect(fields.count == 4)
        #expect(fields.byteCount == 10 + 1 + 5 + 10 + 4 + 4 + 1)
        #expect(fields.count(of: .setCookie) == 2)
        #expect(fields.first(.setCookie) == "a")
        #expect(fields.all(.setCookie) == ["a", "b é"])
        #expect(fields.first(named: "x-odd")?.isEmpty == true)
        #expect(fields.first(.cookie) == nil)
        #expect(fields.contains(.host))
        #expect(fields.withFirst(.host) { $0.count } == 1)
        #expect(fields.withFirst(.date) { $0.count } == nil)
    }

    @Test func `a prefix is a part of the name`() {
        var fields = HTTPFields()
        let (name, value) = (Array("Status".utf8), Array("200".utf8))
        fields.append(prefix: "inkbox-", name: name.span, value: value.span)
        #expect(fields.first(.inkboxStatus) == "200")
    }

    @Test func `forgetting leaves an empty list that can be used again`() {
        var fields = HTTPFields([("a", "b")])
        fields.removeAll()
        #expect(fields.isEmpty)
        #expect(fields.byteCount == 0)
        fields.append("date", "now")
        #expect(fields.lines == ["date: now"])
    }

    @Test func `forEach throws what its closure throws, at once`() {
        struct Enough: Error {}
        var seen = 0
        #expect(throws: Enough.self) {
            try HTTPFields([("a", "1"), ("b", "2")]).forEach { _, _, _ in
                seen += 1
                throw Enough()
            }
        }
        #expect(seen == 1)
    }

    @Test func `a list of fields equals a list of pairs`() throws {
        try checkProperty { sample in
            let pairs = sample.list(upTo: 12) { sample in
                (sample.text(of: "aB-9Z", count: 0...40), sample.text(of: "xé ", count: 0...300))
            }
            let fields = HTTPFields(pairs)
            try sample.check(fields.lines, is: pairs.map { "\($0.0.lowercased()): \($0.1)" })
            try sample.check(fields.byteCount, is: pairs.reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count })
        }
    }
}
