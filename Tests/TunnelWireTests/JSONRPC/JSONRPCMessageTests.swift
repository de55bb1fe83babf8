import Testing
import TunnelWire

struct JSONRPCMessageTests {
    private func read(_ text: String) throws -> Result<JSONRPCMessage, JSONRPCRefusal> {
        let value = try JSONValue(parsing: Array(text.utf8))
        return Result { () throws(JSONRPCRefusal) in try JSONRPCMessage(value) }
    }

    @Test(arguments: [
        #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":1}}"#,
        #"{"jsonrpc":"2.0","id":1.0,"method":"m","params":[1,2]}"#,
        #"{"jsonrpc":"2.0","id":12345678901234567890,"method":"m"}"#,
        #"{"jsonrpc":"2.0","id":-1e3,"method":""}"#,
        #"{"jsonrpc":"2.0","id":"1","method":"m","params":{}}"#,
        #"{"jsonrpc":"2.0","id":"","method":"m","params":[]}"#,
        #"{"jsonrpc":"2.0","id":null,"method":"m"}"#,
        #"{"jsonrpc":"2.0","method":"n","params":{"id":5}}"#,
        #"{"jsonrpc":"2.0","id":7,"result":null}"#,
        #"{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"no","data":[1]}}"#,
        #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}}"#,
    ])
    func `every kind of message is written as it was read, ids to the digit`(text: String) throws {
        #expect(String(decoding: try read(text).get().json.serialized, as: UTF8.self) == text)
    }

    @Test(arguments: [
        (#"{"id":1,"method":"m"}"#, JSONRPCID.number("1")), (#"{"jsonrpc":"1.0","id":"a","method":"m"}"#, .string("a")),
        (#"{"jsonrpc":2.0,"id":1,"method":"m"}"#, .number("1")), (#"{"jsonrpc":"2.0","id":[1],"method":"m"}"#, .null),
        (#"{"jsonrpc":"2.0","id":true,"method":"m"}"#, .null), (#"{"jsonrpc":"2.0","id":{},"method":"m"}"#, .null),
        (#"{"jsonrpc":"2.0","id":1,"method":5}"#, .number("1")),
        (#"{"jsonrpc":"2.0","id":1,"method":"m","params":5}"#, .number("1")),
        (#"{"jsonrpc":"2.0","id":1,"method":"m","params":null}"#, .number("1")), (#"{"jsonrpc":"2.0","id":1}"#, .number("1")),
        (#"{"jsonrpc":"2.0","id":1,"result":1,"error":{"code":1,"message":""}}"#, .number("1")),
        (#"{"jsonrpc":"2.0","id":1,"error":"no"}"#, .number("1")),
        (#"{"jsonrpc":"2.0","id":1,"error":{"code":1.5,"message":""}}"#, .number("1")),
        (#"{"jsonrpc":"2.0"}"#, .null), ("5", .null), (#""m""#, .null), ("null", .null),
    ])
    func `what is no message is refused under its id`(text: String, id: JSONRPCID) throws {
        guard case .failure(let refusal) = try read(text) else {
            Issue.record("it was taken")
            return
        }
        #expect(refusal.id == id && refusal.error.code == JSONRPCError.Code.invalidRequest)
    }

    @Test func `a batch keeps what is good beside what is not`() throws {
        let value = try JSONValue(parsing: Array(#"[{"jsonrpc":"2.0","method":"n"},1,[]]"#.utf8))
        guard case .batch(let messages) = JSONRPCInput(value, batchCountMax: 3) else {
            Issue.record("it is no batch")
            return
        }
        #expect(messages.count == 3 && (try? messages[0].get()) == .notification(method: "n", params: .none))
        #expect((try? messages[1].get()) == nil && (try? messages[2].get()) == nil)
    }

    @Test func `an empty batch is refused once`() {
        guard case .single(.failure(let refusal)) = JSONRPCInput(.array([]), batchCountMax: 3) else {
            Issue.record("it was taken")
            return
        }
        #expect(refusal.id == .null)
    }
}
