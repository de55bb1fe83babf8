import Testing
import TunnelWire

@testable import culvert_rpc

struct SchemaTests {
    @Test func `of several types, the one that the value has says what is wrong`() {
        let schema = Schema.anyOf([Schema.string("a", max: 3), Schema.integer("b", 1...65535)], "either")
        #expect(
            Schema.problems(of: .integer(3000), by: schema).isEmpty && Schema.problems(of: .string("abc"), by: schema).isEmpty)
        #expect(Schema.problems(of: .integer(65536), by: schema).map(\.detail) == ["should be from 1 to 65535"])
        #expect(Schema.problems(of: .string("abcd"), by: schema).map(\.detail) == ["has more than 3 characters"])
        #expect(Schema.problems(of: .bool(true), by: schema).count == 1)
    }

    private static let schema = Schema.object(
        [
            "name": Schema.string("a name", max: 3), "count": Schema.integer("a count", 1...5),
            "kind": Schema.word(["a", "b"], "a kind"), "list": Schema.list(of: Schema.flag("a flag"), "flags"),
            "either": Schema.anyOf([Schema.string("a text"), Schema.integer("a number", 1...9)], "one of two"),
            "maybe": Schema.orNull(Schema.string("a text")),
        ], required: ["name"], isClosed: true)

    @Test(
        arguments: [
            (#"{"name":"abc"}"#, []), (#"{}"#, ["/name"]), (#"{"name":"abcd"}"#, ["/name"]), (#"{"name":"é😀x"}"#, []),
            (#"{"name":1}"#, ["/name"]), (#"{"name":"a","count":1}"#, []), (#"{"name":"a","count":0}"#, ["/count"]),
            (#"{"name":"a","count":5}"#, []), (#"{"name":"a","count":6}"#, ["/count"]), (#"{"name":"a","count":1.0}"#, []),
            (#"{"name":"a","count":1.5}"#, ["/count"]), (#"{"name":"a","count":1e99}"#, ["/count"]),
            (#"{"name":"a","kind":"c"}"#, ["/kind"]),
            (#"{"name":"a","list":[true,1]}"#, ["/list/1"]), (#"{"name":"a","more":1}"#, ["/more"]), ("[]", [""]),
            (#"{"name":"a","either":"x"}"#, []), (#"{"name":"a","either":9}"#, []),
            (#"{"name":"a","either":true}"#, ["/either"]),
            (#"{"name":"a","maybe":null}"#, []), (#"{"name":null}"#, ["/name"]),
        ] as [(String, [String])])
    func `a value is checked, and every problem has its place`(text: String, places: [String]) throws {
        let problems = Schema.problems(of: try JSON(parsing: Array(text.utf8)), by: Self.schema)
        #expect(problems.map(\.pointer) == places)
    }
}
