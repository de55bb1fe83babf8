import Testing

@testable import TunnelWire

struct ForwardedFieldsTests {
    @Test(
        arguments: [
            ("192.0.2.7", "a.localhost", "for=192.0.2.7;host=a.localhost;proto=https"),
            ("2001:db8::7", "a.localhost", "for=\"[2001:db8::7]\";host=a.localhost;proto=https"),
            ("192.0.2.7", "a.localhost:8443", "for=192.0.2.7;host=\"a.localhost:8443\";proto=https"),
            (nil, "a", "for=unknown;host=a;proto=https"), ("unix", "a", "for=unknown;host=a;proto=https"),
            ("1.2.3.4;host=evil", "[::1]", "for=unknown;host=\"[::1]\";proto=https"),
        ] as [(String?, String, String)])
    func `Forwarded is quoted where it must be`(address: String?, host: String, expected: String) {
        #expect(ForwardedFields(clientAddress: address, publicHost: host).forwarded == expected)
    }

    @Test func `all four fields are appended`() {
        var fields = HTTPFields()
        ForwardedFields(clientAddress: "::1", publicHost: "a:1", scheme: "http").append(to: &fields)
        #expect(
            fields.pairs.map { "\($0.name): \($0.value)" } == [
                "x-forwarded-for: ::1", "x-forwarded-host: a:1", "x-forwarded-proto: http",
                "forwarded: for=\"[::1]\";host=\"a:1\";proto=http",
            ])
    }

    @Test func `an address that is none is not passed on`() {
        var fields = HTTPFields()
        ForwardedFields(clientAddress: "unix", publicHost: "a").append(to: &fields)
        #expect(fields.first(.xForwardedFor) == nil)
    }
}
