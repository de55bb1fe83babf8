import Testing

@testable import TunnelWire

struct TrailerFieldsTests {
    private static let given = HTTPFields([
        ("grpc-status", "0"), ("x-checksum", "abc"), ("x-checksum", "def"), ("content-length", "3"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"), ("te", "trailers"), ("host", "evil"), ("content-type", "text/html"), ("set-cookie", "a=1"),
        ("authorization", "Basic x"), ("inkbox-reason", "forged"), ("inkbox-new", "x"), ("inkbox_new", "x"), ("trailer", "x"),
        ("x-real-ip", "6.6.6.6"), ("x-forwarded-port", "1"),
    ])

    @Test func `to the agent goes what no rule holds back`() {
        #expect(
            TrailerFields.toAgent(Self.given)?.lines == ["grpc-status: 0", "x-checksum: abc", "x-checksum: def"])
    }

    @Test func `to the third party goes what no rule holds back`() {
        #expect(
            TrailerFields.toThirdParty(Self.given)?.lines
                == ["grpc-status: 0", "x-checksum: abc", "x-checksum: def", "x-forwarded-port: 1"])
    }

    @Test func `where nothing is left there are no trailers`() {
        #expect(TrailerFields.toAgent(nil) == nil)
        #expect(TrailerFields.toAgent(HTTPFields()) == nil)
        #expect(TrailerFields.toAgent(HTTPFields([("content-length", "3")])) == nil)
        #expect(TrailerFields.toThirdParty(HTTPFields([("inkbox-status", "200")])) == nil)
    }

    @Test func `what HTTP cannot carry is left out`() {
        var given = HTTPFields([("x-good", "1")])
        given.append(name: "x bad", value: "1")
        given.append(name: "x-worse", value: "a\r\nb: c")
        #expect(TrailerFields.toThirdParty(given)?.lines == ["x-good: 1"])
    }

    @Test(arguments: [
        (["trailers"], true), (["Trailers"], true), (["deflate, trailers;q=0.5"], false),
        (["deflate", "gzip , trailers"], true),
        (["trailer"], false), ([], false), ([""], false),
    ])
    func `whoever takes trailers says so`(values: [String], accepts: Bool) {
        #expect(HTTPFields(values.map { ("te", $0) }).acceptsTrailers == accepts)
    }

    @Test(arguments: [
        ("application/grpc", true), ("application/grpc+proto", true), ("application/grpc;charset=x", true),
        ("Application/gRPC", true), ("application/grpc-web", false), ("application/grpc-web+proto", false),
        ("application/grp", false), ("text/application/grpc", false), ("", false),
    ])
    func `a call of gRPC is told by its type, and by taking trailers`(type: String, isCall: Bool) {
        #expect(HTTPFields([("content-type", type), ("te", "trailers")]).areOfGRPCCall == isCall)
        #expect(!HTTPFields([("content-type", type)]).areOfGRPCCall)
    }

    @Test func `the envelope says who takes trailers where the agent carries them`() throws {
        let head = HTTPRequestHead(
            method: "POST", target: "/", authority: "a",
            fields: HTTPFields([("te", "gzip, trailers"), ("content-type", "application/grpc")]))
        for carries in [true, false] {
            let context = RequestEnvelopeContext(requestID: "r1", forwardedFor: "192.0.2.7", carriesTrailers: carries)
            var fields = HTTPFields()
            try RequestEnvelope.encode(head, context, headerListByteCountMax: .max, into: &fields)
            #expect(fields.lines.contains("inkbox-h-te: trailers") == carries)
            let envelope = try RequestEnvelope(decoding: fields)
            #expect(envelope.acceptsTrailers == carries)
            #expect(envelope.isGRPCCall == carries)
            #expect(envelope.fields.lines == ["content-type: application/grpc"])
        }
    }
}
