import Testing
import TunnelWire

@testable import culvert_rpc

struct ConsentTests {
    private static func json(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }

    @Test(arguments: [
        (ConfirmationMode.auto, true, ConfirmationWay.user), (.auto, false, .token), (.ask, true, .user),
        (.ask, false, .nobody),
        (.token, true, .token), (.token, false, .token),
    ])
    func `the mode and the client decide who confirms`(mode: ConfirmationMode, canAsk: Bool, way: ConfirmationWay) {
        #expect(mode.way(canAsk: canAsk) == way)
    }

    @Test(arguments: [
        (#"{}"#, false), (#"{"elicitation":{}}"#, true), (#"{"elicitation":{"form":{}}}"#, true),
        (#"{"elicitation":{"url":{}}}"#, false), (#"{"elicitation":{"url":{},"form":{}}}"#, true),
        (#"{"elicitation":null}"#, false), (#"{"elicitation":true}"#, false), (#"[]"#, false),
    ])
    func `a client that can show forms can ask`(capabilities: String, canAsk: Bool) throws {
        #expect(ConsentQuestion.canBeAsked(by: try Self.json(capabilities)) == canAsk)
    }

    @Test(arguments: [
        (#"{"action":"accept","content":{"confirm":true}}"#, ConsentAnswer.given),
        (#"{"action":"accept","content":{"confirm":false}}"#, .declined),
        (#"{"action":"accept","content":{"confirm":"true"}}"#, .declined), (#"{"action":"accept","content":{}}"#, .declined),
        (#"{"action":"accept"}"#, .declined), (#"{"action":"decline","content":{"confirm":true}}"#, .declined),
        (#"{"action":"cancel","content":{"confirm":true}}"#, .dismissed), (#"{"action":"yes"}"#, nil), ("null", nil),
        ("[]", nil),
    ])
    func `only a ticked box that is submitted is a yes`(result: String, answer: ConsentAnswer?) throws {
        let result = try Self.json(result)
        #expect((try? ConsentAnswer(result)) == answer)
        if answer != .given { #expect(throws: (any Error).self) { try ConsentAnswer(result).require() } }
    }

    @Test func `the question says what would happen to what, on one line`() throws {
        let tool = try #require(Tool.all.first { $0.name == "delete_tunnel" })
        let arguments = JSON.members(["tunnel": .string("abc\u{202E}\n\u{85}")])
        let text = ConsentQuestion(tool: tool, arguments: arguments, server: "https://a.example").text
        #expect(text.hasPrefix("Delete a tunnel at https://a.example? "))
        #expect(text.contains("abc") && text.contains(tool.effect))
        #expect(!text.unicodeScalars.contains { ["\n", "\u{202E}", "\u{85}"].contains($0) })
    }

    @Test(arguments: [(0, 0), (1, 1)])
    func `so many characters of the arguments are shown`(surplus: Int, cutCount: Int) {
        let tool = Tool.all[0]
        let frame = JSON.members(["a": .string("")]).text.count
        let value = String(repeating: "x", count: ConsentQuestion.argumentCharacterCountMax - frame + surplus)
        let text = ConsentQuestion(tool: tool, arguments: .members(["a": .string(value)]), server: nil).text
        #expect(text.count { $0 == "…" } == cutCount)
    }
}
