/// The proxies in front of the service that the operator trusts to say whom they speak for.
///
/// Everybody else's word about addresses counts for nothing.
package struct TrustedProxies: Sendable, Hashable {
    private let ranges: [IPRange]
    /// The most hops that are followed back.
    package static let hopCountMax = 32

    package init(_ ranges: [IPRange] = []) { self.ranges = ranges }

    package func contains(_ address: String) -> Bool { ranges.contains { $0.contains(address) } }

    /// The address of whoever made the request: the nearest one that is no trusted proxy, walking back from the peer along
    /// `X-Forwarded-For` or `Forwarded` (RFC 7239).
    ///
    /// A proxy adds to one of the two and hands on what the client put into the other. Where both stand and do not tell the
    /// same, neither is believed, and the request counts as the proxy's own.
    package func client(of peer: String, _ fields: HTTPFields) -> String {
        guard contains(peer) else { return peer }
        let addresses = Set(
            [ForwardingHops.xForwardedFor(fields), ForwardingHops.forwarded(fields)].compactMap { $0 }.map {
                walk($0, from: peer)
            })
        return addresses.count == 1 ? addresses.first ?? peer : peer
    }

    /// Goes back hop by hop; one that is no address, as a proxy writes for what it does not know, ends the way.
    private func walk(_ hops: [String], from peer: String) -> String {
        var address = peer
        for hop in hops.reversed().prefix(Self.hopCountMax) {
            guard contains(address), let bytes = IPBytes.parse(hop) else { break }
            // An IPv4 address inside IPv6 is told as what it is.
            address = bytes.count == 4 ? bytes.map { "\($0)" }.joined(separator: ".") : hop.lowercased()
        }
        return address
    }
}

/// The addresses that proxies have noted, the nearest last.
enum ForwardingHops {
    /// Nil when there is no such field.
    static func xForwardedFor(_ fields: HTTPFields) -> [String]? {
        let values = fields.all(.xForwardedFor)
        return values.isEmpty ? nil : values.flatMap { $0.split(separator: ",").map { address(in: trimmed($0)) } }
    }

    /// The `for` parameters; an element without one is an unknown hop. Nil when there is no such field.
    static func forwarded(_ fields: HTTPFields) -> [String]? {
        let values = fields.all(.forwarded)
        return values.isEmpty ? nil : values.flatMap { $0.split(separator: ",").map { address(in: forParameter(of: $0)) } }
    }

    private static func forParameter(of element: Substring) -> Substring {
        for parameter in element.split(separator: ";") {
            let parts = parameter.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, trimmed(parts[0]).lowercased() == "for" else { continue }
            let value = trimmed(parts[1])
            return value.count >= 2 && value.first == "\"" && value.last == "\"" ? value.dropFirst().dropLast() : value
        }
        return "unknown"
    }

    /// The address without a port and, for IPv6, without brackets.
    private static func address(in node: Substring) -> String {
        if node.first == "[", let end = node.firstIndex(of: "]") {
            return String(node[node.index(after: node.startIndex)..<end])
        }
        // One colon stands before a port; more are an IPv6 address.
        let parts = node.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 ? String(parts[0]) : String(node)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
