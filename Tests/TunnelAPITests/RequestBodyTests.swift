import TestSupport
import Testing
import TunnelAPI
import TunnelWire

/// What a body must be before a use case sees it.
struct RequestBodyTests {
    private static let create = "/api/v1/tunnels"

    @Test func `a body of one mebibyte is read and one byte more is 413`() async throws {
        let harness = try await APIHarness()
        func body(_ byteCount: Int) -> [UInt8] {
            let frame = #"{"tunnel_name":"my-agent","x":""}"#
            return Array(frame.dropLast(2).utf8) + [UInt8](repeating: 0x61, count: byteCount - frame.utf8.count)
                + Array(#""}"#.utf8)
        }
        #expect(ControlPlaneAPI.bodyByteCountMax == 1_048_576)
        #expect(try await harness.send("POST", Self.create, bytes: body(1_048_577)).status == 413)
        #expect(harness.store.contents.tunnels.isEmpty)
        #expect(try await harness.send("POST", Self.create, bytes: body(1_048_576)).status == 201)
    }

    @Test func `sixty-four levels are read and sixty-five are 400`() async throws {
        let harness = try await APIHarness()
        func body(_ depth: Int) -> String {
            #"{"tunnel_name":"my-agent","x":"# + String(repeating: "[", count: depth - 1)
                + String(repeating: "]", count: depth - 1) + "}"
        }
        #expect(try await harness.send("POST", Self.create, body(65)).status == 400)
        #expect(try await harness.send("POST", Self.create, body(64)).status == 201)
    }

    @Test(arguments: [
        ("{", 1, 2), (#"{"tunnel_name":}"#, 1, 16), ("{}}", 1, 3), (#"{"a":1,"#, 1, 8), ("{\n\"a\" 1}", 2, 5), ("nul", 1, 1),
    ])
    func `malformed JSON is 400 and names the place`(body: String, line: Int, column: Int) async throws {
        let harness = try await APIHarness()
        let reply = try await harness.send("POST", Self.create, body)
        #expect(reply.status == 400)
        #expect(reply.detail.contains("line \(line), column \(column)."), "\(reply.detail)")
        let update = try await harness.send("PATCH", Self.create + "/x", body)
        #expect(update.status == 400)
    }

    @Test func `bytes that are not UTF-8 are 400`() async throws {
        let harness = try await APIHarness()
        let bytes = Array(#"{"tunnel_name":""#.utf8) + [0xFF] + Array(#""}"#.utf8)
        #expect(try await harness.send("POST", Self.create, bytes: bytes).status == 400)
    }

    @Test(arguments: ["[]", "1", "null", #""x""#, "true"])
    func `a body that is no object is 422`(body: String) async throws {
        let reply = try await APIHarness().send("POST", Self.create, body)
        #expect(reply.status == 422)
        #expect(reply.pointers == [""])
        #expect(reply.detail.hasPrefix("The body is "))
    }

    @Test(arguments: ["restore", "rotate-secret"])
    func `calls without a body take none, or any JSON, and nothing else`(call: String) async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        let path = "\(Self.create)/\(id)/\(call)"
        if call == "restore" { _ = try await harness.send("DELETE", "\(Self.create)/\(id)") }
        #expect(try await harness.send("POST", path, "{").status == 400)
        #expect(try await harness.send("POST", path, #"{"unknown":[1]}"#).status == 200)
    }

    @Test func `a missing body is 422 where one is needed`() async throws {
        let harness = try await APIHarness()
        #expect(try await harness.send("POST", Self.create).status == 422)
        #expect(try await harness.send("PATCH", Self.create + "/x").status == 422)
        #expect(try await harness.send("POST", Self.create + "/x/sign-csr").status == 422)
    }

    @Test func `everything that is wrong is told at once`() async throws {
        let body = #"{"tunnel_name":7,"description":[],"tls_mode":"both","unknown":{}}"#
        let reply = try await APIHarness().send("POST", Self.create, body)
        #expect(reply.status == 422)
        #expect(reply.pointers == ["/tunnel_name", "/description", "/tls_mode"])
        for pointer in reply.pointers { #expect(reply.detail.contains(pointer + ": ")) }
    }

    @Test(arguments: [
        (#"{"tunnel_name":"a-b","tls_mode":null}"#, "/tls_mode"), (#"{"tunnel_name":"a-b","tls_mode":"EDGE"}"#, "/tls_mode"),
        (#"{"tunnel_name":"a-b","tls_mode":1}"#, "/tls_mode"), (#"{"tunnel_name":null}"#, "/tunnel_name"),
        ("{}", "/tunnel_name"),
        (#"{"tunnel_name":"a-b","description":1}"#, "/description"),
        (#"{"tunnel_name":"a-b","description":"\u0000"}"#, "/description"),
        (#"{"tunnel_name":"My-Agent"}"#, "/tunnel_name"), (#"{"tunnel_name":"ab"}"#, "/tunnel_name"),
        (#"{"tunnel_name":"my-agent\n"}"#, "/tunnel_name"), (#"{"tunnel_name":"a--b"}"#, "/tunnel_name"),
        (#"{"tunnel_name":"-ab"}"#, "/tunnel_name"), (#"{"tunnel_name":"ab-"}"#, "/tunnel_name"),
        (#"{"tunnel_name":"аgent"}"#, "/tunnel_name"),
    ])
    func `a wrong member of a new tunnel is 422 and named`(body: String, pointer: String) async throws {
        let harness = try await APIHarness()
        let reply = try await harness.send("POST", Self.create, body)
        #expect(reply.status == 422)
        #expect(reply.pointers == [pointer])
        #expect(harness.store.contents.successes.isEmpty)
    }

    @Test(arguments: [
        (#"{"tunnel_name":"other"}"#, "/tunnel_name"), (#"{"tls_mode":"edge"}"#, "/tls_mode"),
        (#"{"tunnel_name":null}"#, "/tunnel_name"), (#"{"description":5}"#, "/description"),
        (#"{"metadata":[]}"#, "/metadata"), (#"{"metadata":"x"}"#, "/metadata"), (#"{"metadata":0}"#, "/metadata"),
    ])
    func `a wrong member of an update is 422 and named`(body: String, pointer: String) async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        let reply = try await harness.send("PATCH", "\(Self.create)/\(id)", body)
        #expect(reply.status == 422)
        #expect(reply.pointers == [pointer])
    }

    @Test(arguments: ["a", "é", "😀"])
    func `a description has up to a thousand characters`(character: String) async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        let path = "\(Self.create)/\(id)"
        func body(_ count: Int) -> String { #"{"description":"\#(String(repeating: character, count: count))"}"# }
        let right = try await harness.send("PATCH", path, body(1000))
        #expect(right.status == 200)
        #expect(right.json["description"]?.stringValue?.unicodeScalars.count == 1000)
        let wrong = try await harness.send("PATCH", path, body(1001))
        #expect(wrong.status == 422)
        #expect(wrong.pointers == ["/description"])
        let new = #"{"tunnel_name":"other","description":"\#(String(repeating: character, count: 1001))"}"#
        #expect(try await harness.send("POST", Self.create, new).status == 422)
    }

    @Test func `metadata has up to 4096 bytes, counted without blanks`() async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        let path = "\(Self.create)/\(id)"
        // The object itself takes eight bytes: {"a":""}.
        func body(_ byteCount: Int) -> String {
            #"{"metadata": {"a" :  "\#(String(repeating: "x", count: byteCount - 8))" } }"#
        }
        #expect(try await harness.send("PATCH", path, body(4096)).status == 200)
        let wrong = try await harness.send("PATCH", path, body(4097))
        #expect(wrong.status == 422)
        #expect(wrong.pointers == ["/metadata"])
    }

    @Test func `metadata comes back as it was given`() async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        let metadata = #"{"z":1.0,"a":[12345678901234567890,1e3,{"b":null}],"é":"😀","":{}}"#
        let reply = try await harness.send("PATCH", "\(Self.create)/\(id)", #"{"metadata":\#(metadata)}"#)
        #expect(reply.text.contains(#""metadata":\#(metadata),"#))
        let again = try await harness.send("GET", "\(Self.create)/\(id)")
        #expect(again.text == reply.text)
    }
}
