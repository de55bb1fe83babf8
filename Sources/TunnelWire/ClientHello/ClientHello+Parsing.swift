extension ClientHello {
    /// Reads the body of a ClientHello message; every vector must end where its length says.
    init(parsing body: Span<UInt8>) throws(ClientHelloError) {
        serverName = nil
        applicationProtocols = []
        var walk = VectorWalk(range: 0..<body.count)
        // Version and random.
        guard walk.skip(2 + 32), let sessionID = walk.vector8(in: body), sessionID.count <= 32,
            let ciphers = walk.vector16(in: body), ciphers.count >= 2, ciphers.count.isMultiple(of: 2),
            let compressions = walk.vector8(in: body), !compressions.isEmpty
        else { throw .malformedHello }
        if walk.isAtEnd { return }
        guard let extensions = walk.vector16(in: body), walk.isAtEnd else { throw .malformedHello }
        try readExtensions(body, extensions)
    }

    private mutating func readExtensions(_ body: Span<UInt8>, _ range: Range<Int>) throws(ClientHelloError) {
        var walk = VectorWalk(range: range)
        var hasServerName = false
        var hasProtocols = false
        while !walk.isAtEnd {
            guard let type = walk.uint16(in: body), let content = walk.vector16(in: body) else { throw .malformedExtension }
            switch type {
            case 0:
                guard !hasServerName else { throw .malformedExtension }
                hasServerName = true
                try readServerName(body, content)
            case 16:
                guard !hasProtocols else { throw .malformedExtension }
                hasProtocols = true
                try readProtocols(body, content)
            default: break
            }
        }
    }

    /// RFC 6066 §3: a list that in practice has exactly one entry, of type host_name.
    private mutating func readServerName(_ body: Span<UInt8>, _ range: Range<Int>) throws(ClientHelloError) {
        var walk = VectorWalk(range: range)
        guard let list = walk.vector16(in: body), walk.isAtEnd else { throw .malformedExtension }
        var entries = VectorWalk(range: list)
        guard entries.uint8(in: body) == 0, let name = entries.vector16(in: body) else { throw .malformedExtension }
        guard entries.isAtEnd else { throw .illegalServerName }
        serverName = try hostName(body.extracting(name))
    }

    private func hostName(_ text: Span<UInt8>) throws(ClientHelloError) -> String? {
        let host: HostAndPort
        do { host = try HostAndPort(parsing: text) } catch { throw .illegalServerName }
        guard host.port == nil else { throw .illegalServerName }
        return switch host.kind {
        case .name: host.host
        case .ipv4, .ipv6: nil
        }
    }

    /// RFC 7301 §3.1: one or more names of 1 to 255 bytes; GREASE names are among them.
    private mutating func readProtocols(_ body: Span<UInt8>, _ range: Range<Int>) throws(ClientHelloError) {
        var walk = VectorWalk(range: range)
        guard let list = walk.vector16(in: body), walk.isAtEnd, !list.isEmpty else { throw .malformedExtension }
        var names = VectorWalk(range: list)
        while !names.isAtEnd {
            guard let name = names.vector8(in: body), !name.isEmpty else { throw .malformedExtension }
            applicationProtocols.append(String(decodingLossily: body.extracting(name)))
        }
    }
}

/// Walks over length-prefixed vectors (RFC 8446 §3.4) and never leaves its range.
private struct VectorWalk {
    private var offset: Int
    private let end: Int

    init(range: Range<Int>) {
        offset = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { offset == end }

    mutating func skip(_ count: Int) -> Bool {
        guard end - offset >= count else { return false }
        offset += count
        return true
    }

    mutating func uint8(in body: Span<UInt8>) -> Int? {
        guard skip(1) else { return nil }
        return Int(body[offset - 1])
    }

    mutating func uint16(in body: Span<UInt8>) -> Int? {
        guard skip(2) else { return nil }
        return Int(body[offset - 2]) << 8 | Int(body[offset - 1])
    }

    mutating func vector8(in body: Span<UInt8>) -> Range<Int>? {
        guard let count = uint8(in: body), skip(count) else { return nil }
        return offset - count..<offset
    }

    mutating func vector16(in body: Span<UInt8>) -> Range<Int>? {
        guard let count = uint16(in: body), skip(count) else { return nil }
        return offset - count..<offset
    }
}
