internal import CLinux
internal import Glibc

/// An IPv4 or IPv6 address with a port.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    package enum IP: Hashable, Sendable {
        /// Four bytes in network order.
        case v4([UInt8])
        /// Sixteen bytes in network order.
        case v6([UInt8])
    }

    package let ip: IP
    /// 0...65535; 0 asks the system to choose.
    package let port: UInt16

    package init(ip: IP, port: UInt16) {
        self.ip = ip
        self.port = port
    }

    /// Parses `192.0.2.1:443` and `[2001:db8::1]:443`; names are not addresses.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
        var host = text[..<colon]
        if host.first == "[" {
            guard host.last == "]" else { return nil }
            host = host.dropFirst().dropLast()
            guard let ip = IP(v6: String(host)) else { return nil }
            self.init(ip: ip, port: port)
        } else {
            guard let ip = IP(v4: String(host)) else { return nil }
            self.init(ip: ip, port: port)
        }
    }

    package static func loopback(port: UInt16) -> SocketAddress { SocketAddress(ip: .v4([127, 0, 0, 1]), port: port) }

    package var description: String {
        switch ip {
        case .v4: "\(ip):\(port)"
        case .v6: "[\(ip)]:\(port)"
        }
    }
}

extension SocketAddress.IP: CustomStringConvertible {
    package init?(v4 text: String) {
        var address = in_addr()
        guard inet_pton(AF_INET, text, &address) == 1 else { return nil }
        self = .v4(withUnsafeBytes(of: &address) { Array($0) })
    }

    package init?(v6 text: String) {
        var address = in6_addr()
        guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        self = .v6(withUnsafeBytes(of: &address) { Array($0) })
    }

    /// The address as text, an IPv4 address inside IPv6 as IPv4.
    package var description: String {
        switch self {
        case .v4(let bytes): bytes.map(String.init).joined(separator: ".")
        case .v6(let bytes): mappedV4.map { "\($0)" } ?? SocketAddress.IP.text(v6: bytes)
        }
    }

    /// True for 127.0.0.0/8, ::1 and the same written as IPv4 inside IPv6.
    package var isLoopback: Bool {
        switch self {
        case .v4(let bytes): bytes[0] == 127
        case .v6(let bytes): mappedV4?.isLoopback ?? (bytes == [UInt8](repeating: 0, count: 15) + [1])
        }
    }

    private var mappedV4: SocketAddress.IP? {
        guard case .v6(let bytes) = self, bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF else {
            return nil
        }
        return .v4(Array(bytes[12...]))
    }

    private static func text(v6 bytes: [UInt8]) -> String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let length = bytes.withUnsafeBytes { source in
            inet_ntop(AF_INET6, source.baseAddress, &buffer, socklen_t(buffer.count)) == nil ? 0 : strlen(buffer)
        }
        return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension SocketAddress {
    /// Calls the closure with the address as the kernel wants it.
    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var storage = sockaddr_storage()
        return withUnsafeMutableBytes(of: &storage) { raw in
            let length: Int
            switch ip {
            case .v4(let bytes):
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = port.bigEndian
                withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: bytes) }
                length = MemoryLayout<sockaddr_in>.size
                raw.storeBytes(of: address, as: sockaddr_in.self)
            case .v6(let bytes):
                var address = sockaddr_in6()
                address.sin6_family = sa_family_t(AF_INET6)
                address.sin6_port = port.bigEndian
                withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: bytes) }
                length = MemoryLayout<sockaddr_in6>.size
                raw.storeBytes(of: address, as: sockaddr_in6.self)
            }
            return raw.withMemoryRebound(to: sockaddr.self) { body(UnsafePointer($0.baseAddress!), socklen_t(length)) }
        }
    }

    /// The address that the kernel filled in; nil for families that are not IP.
    init?(_ storage: sockaddr_storage) {
        var storage = storage
        switch Int32(storage.ss_family) {
        case AF_INET:
            var address = withUnsafeBytes(of: &storage) { $0.loadUnaligned(as: sockaddr_in.self) }
            self.init(ip: .v4(withUnsafeBytes(of: &address.sin_addr) { Array($0) }), port: UInt16(bigEndian: address.sin_port))
        case AF_INET6:
            var address = withUnsafeBytes(of: &storage) { $0.loadUnaligned(as: sockaddr_in6.self) }
            self.init(
                ip: .v6(withUnsafeBytes(of: &address.sin6_addr) { Array($0) }), port: UInt16(bigEndian: address.sin6_port))
        default: return nil
        }
    }
}
