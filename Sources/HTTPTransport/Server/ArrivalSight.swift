internal import TunnelWire

/// What the first bytes of a connection tell about where it wants to go.
enum ArrivalSight: Equatable {
    /// More bytes may tell more.
    case undecided
    /// The host asked for, in lower case and without port; nil when the bytes name none or are nothing we know.
    case host(String?, isHTTP2Preface: Bool)

    static func ofClientHello(_ bytes: Span<UInt8>) -> ArrivalSight {
        // The bytes are only peeked at, so every look begins anew; 16 KiB bound what that costs.
        var reader = ClientHelloReader()
        return switch reader.read(bytes) {
        case .needMore: .undecided
        case .hello(let hello): .host(hello.serverName?.lowercased(), isHTTP2Preface: false)
        case .notTLS, .malformed: .host(nil, isHTTP2Preface: false)
        }
    }

    private static let preface = Array("PRI * HTTP/2.0\r\n".utf8)

    /// Looks for the Host field of an HTTP/1.1 head; whether it is a good one is the decoder's business.
    static func ofPlainHead(_ bytes: Span<UInt8>) -> ArrivalSight {
        let all = bytes.withUnsafeBufferPointer { Array($0) }
        if all.starts(with: preface) { return .host(nil, isHTTP2Preface: true) }
        if preface.starts(with: all) { return .undecided }
        var lineStart = 0
        for index in all.indices where all[index] == UInt8(ascii: "\n") {
            let line = all[lineStart..<index]
            lineStart = index + 1
            if line.count <= 1 { return .host(nil, isHTTP2Preface: false) }
            if let host = hostValue(of: line) { return .host(host, isHTTP2Preface: false) }
        }
        return .undecided
    }

    private static func hostValue(of line: ArraySlice<UInt8>) -> String? {
        guard line.count > 5, String(decoding: line.prefix(5), as: UTF8.self).lowercased() == "host:" else { return nil }
        let value = String(decoding: line.dropFirst(5), as: UTF8.self).lowercased().filter {
            $0 != " " && $0 != "\t" && $0 != "\r\n" && $0 != "\r"
        }
        return HostText.withoutPort(value)
    }
}

/// Host text as it stands in requests.
package enum HostText {
    /// `name:8080` without its port, `[::1]:8080` likewise.
    package static func withoutPort(_ text: String) -> String {
        guard let colon = text.lastIndex(of: ":"), text[text.index(after: colon)...].allSatisfy(\.isNumber) else { return text }
        // An IPv6 address without brackets is no legal Host; it is left alone.
        return text[..<colon].contains(":") && text.first != "[" ? text : String(text[..<colon])
    }
}
