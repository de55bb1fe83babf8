/// The trailers of a message on their way through the tunnel (feature `trailers`; RFC 9110 §6.5).
///
/// They travel under their own names in the HTTP/2 trailers of the stream that carries the message's body. Both ends look at
/// them, as each of them is somebody else's input to the other.
package enum TrailerFields {
    /// Those of a request that may reach the agent and the program behind it; nil when none is left.
    package static func toAgent(_ given: HTTPFields?) -> HTTPFields? { kept(given, HopByHop.travelsToAgent) }

    /// Those of a response that may reach the third party; nil when none is left.
    package static func toThirdParty(_ given: HTTPFields?) -> HTTPFields? { kept(given, HopByHop.travelsToThirdParty) }

    private static func kept(_ given: HTTPFields?, _ travels: (KnownField, Span<UInt8>) -> Bool) -> HTTPFields? {
        guard let given, !given.isEmpty else { return nil }
        var kept = HTTPFields()
        kept.reserve(byteCount: given.byteCount, fieldCount: given.count)
        given.forEach { known, name, value in
            // What would be dropped from one trailer section is dropped from every: HTTP/1.1 refuses some, which have no
            // effect in HTTP/2.
            guard known.trailerVerdict == .keep, travels(known, name) else { return }
            guard HTTPSyntax.isToken(name), HTTPSyntax.isFieldValue(value) else { return }
            kept.append(name: name, value: value)
        }
        return kept.isEmpty ? nil : kept
    }
}

extension HTTPFields {
    /// Whether the sender of a request says that it takes trailers: `te: trailers` (RFC 9110 §10.1.4).
    package var acceptsTrailers: Bool {
        var accepts = false
        forEach { known, _, value in
            guard known == .te else { return }
            value.forEachListElement { if $0.equalsIgnoringCase("trailers") { accepts = true } }
        }
        return accepts
    }

    /// Whether a request is a call of gRPC over HTTP/2, which says that it takes trailers.
    package var areOfGRPCCall: Bool { hasGRPCType && acceptsTrailers }

    /// `application/grpc`, perhaps with a format such as `+proto`. gRPC-Web, which does without trailers, is another type.
    fileprivate var hasGRPCType: Bool {
        let type: StaticString = "application/grpc"
        return withFirst(.contentType) { value in
            let length = type.utf8CodeUnitCount
            guard value.count >= length, value.extracting(0..<length).equalsIgnoringCase(type) else { return false }
            return value.count == length || value[length] == UInt8(ascii: "+") || value[length] == UInt8(ascii: ";")
        } ?? false
    }
}

extension RequestEnvelope {
    /// Whether the request is a call of gRPC over HTTP/2.
    package var isGRPCCall: Bool { acceptsTrailers && fields.hasGRPCType }
}
