import Testing
import TunnelWire

@testable import culvert_rpc

struct ForeignEventTests {
    @Test(arguments: [
        ("build.done", nil), (String(repeating: "é", count: 200), nil), (String(repeating: "é", count: 201), -32600),
        ("", -32600),
        ("rpc.discover", -32601), ("$/cancelRequest", -32601), ("rpcs", nil),
    ])
    func `a method is an event's type unless it is reserved or too long`(method: String, code: Int?) {
        let result = Result { () throws(JSONRPCError) in try ForeignEvent(method: method, .none) }
        switch result {
        case .success(let event): #expect(event.type == method && code == nil)
        case .failure(let error): #expect(error.code == code)
        }
    }

    @Test func `a client gets it whole, a model cut and without secrets`() throws {
        let params = JSON.members(["token": .string("s3cr3t"), "text": .string(String(repeating: "é", count: 50))])
        guard case .object(let members) = params else { return }
        let event = try ForeignEvent(method: "x", .named(members))
        #expect(event.document["event"] == params)
        let shown = event.shown(characterCountMax: 40)
        #expect(shown["is_truncated"] == .bool(true) && shown["event"]?.stringValue?.unicodeScalars.count == 40)
        let all = event.shown(characterCountMax: 1000)
        #expect(all["is_truncated"] == .bool(false) && !all.text.contains("s3cr3t"))
    }
}
