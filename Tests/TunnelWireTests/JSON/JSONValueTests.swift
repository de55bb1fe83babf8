import Testing
import TunnelWire

struct JSONValueTests {
    private func parse(_ text: String) throws(JSONSyntaxError) -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    @Test(arguments: [
        #"{"b":1,"a":[true,false,null],"":{}}"#,
        "[]", "{}", "0", "-0", "1.0", "1e3", "-12.50E+07", "12345678901234567890123", "1e308", "1e-400",
        #""""#, #""\u0000\u001f\b\f""#,
        #""\"\\\n\r\t""#, #""é😀 ""#, #"{"metadata":{"a":[1,{"b":null}]}}"#,
    ])
    func `what was written shortest comes back byte for byte`(text: String) throws {
        #expect(String(decoding: try parse(text).serialized, as: UTF8.self) == text)
    }

    @Test(arguments: [
        (" \t\r\n[ 1 , 2 ] ", "[1,2]"), (#"{ "a" : "\/" }"#, #"{"a":"/"}"#), (#""\u00e9""#, #""é""#),
        (#""\ud83d\ude00""#, #""😀""#), (#""\u0008\u000c\u007f""#, "\"\\b\\f\u{7F}\""), (#""\uD83D\uDE00""#, #""😀""#),
    ])
    func `other spellings are read and written the short way`(text: String, short: String) throws {
        #expect(String(decoding: try parse(text).serialized, as: UTF8.self) == short)
    }

    @Test(arguments: [
        ("", 1, 1), ("{", 1, 2), ("[1,]", 1, 4), ("{\"a\":1,}", 1, 8), ("{'a':1}", 1, 2), ("[1]\n\n x", 3, 2), ("tru", 1, 1),
        ("01", 1, 2), ("1.", 1, 3), ("+1", 1, 1), (".5", 1, 1), ("1e", 1, 3), ("-", 1, 2), ("NaN", 1, 1), ("\"a", 1, 3),
        ("\"\n\"", 1, 2), (#""\x""#, 1, 2), (#""\ud800""#, 1, 2), (#""\udc00""#, 1, 2), (#""\ud800\u0041""#, 1, 2),
        (#""\u12g4""#, 1, 6), (#"{"a":1,"a":2}"#, 1, 8), (#"{"a" 1}"#, 1, 6), ("[1 2]", 1, 4), ("nullnull", 1, 5),
        ("// x\n1", 1, 1), ("[1e309]", 1, 2), ("-1e309", 1, 1), ("\u{FEFF}1", 1, 1),
    ])
    func `a broken text is refused with its place`(text: String, line: Int, column: Int) {
        let error = #expect(throws: JSONSyntaxError.self) { try parse(text) }
        #expect(error?.line == line && error?.column == column, "\(String(describing: error))")
    }

    @Test(arguments: [[0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82]] as [[UInt8]])
    func `strings that are not UTF-8 are refused`(bytes: [UInt8]) {
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: [0x22] + bytes + [0x22]) }
    }

    @Test(arguments: [("[", "]"), ("{\"a\":", "}")])
    func `sixty-four levels are read and one more is not`(open: String, close: String) throws {
        func nested(_ depth: Int) -> String {
            String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        }
        #expect(JSONValue.depthMax == 64)
        _ = try parse(nested(64))
        let error = #expect(throws: JSONSyntaxError.self) { try parse(nested(65)) }
        #expect(error?.reason.contains("64 levels") == true)
    }

    @Test func `a million opening brackets are refused without recursion running away`() {
        let bytes = [UInt8](repeating: UInt8(ascii: "["), count: 1 << 20)
        #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: bytes) }
    }

    @Test func `members are found by their exact bytes`() throws {
        let value = try parse("{\"e\u{301}\":1,\"\u{e9}\":2}")
        #expect(value["\u{e9}"] == .number("2"))
        #expect(value["e\u{301}"] == .number("1"))
        #expect(value["x"] == nil)
        #expect(JSONValue.null["x"] == nil)
    }
}
