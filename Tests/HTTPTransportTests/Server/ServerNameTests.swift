import Foundation
import TLS
import Testing
import TunnelWire

@testable import HTTPTransport

/// Our reader and OpenSSL look at the same first bytes: where both see a name it is the same one, so that no connection is
/// routed by one name and served under another.
struct ServerNameTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/Wire/ClientHello")

    static let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        .filter { $0.hasSuffix(".bin") }.sorted()

    /// Feeds OpenSSL, and takes what it says.
    private final class Tape: TLSCarrier {
        private var bytes: ArraySlice<UInt8>

        init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

        func readCiphertext(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
            guard !bytes.isEmpty else { return nil }
            let piece = bytes.prefix(buffer.count)
            buffer.copyBytes(from: piece)
            bytes = bytes.dropFirst(piece.count)
            return piece.count
        }

        func writeCiphertext(_ bytes: UnsafeRawBufferPointer) {}
    }

    /// The name that OpenSSL sees; nil when it sees none, or no hello at all.
    private static func nameByOpenSSL(_ bytes: [UInt8]) throws -> String? {
        let context = try TLSContext.server(applicationProtocols: ["h2", "http/1.1"]) { _ in nil }
        let tape = Tape(bytes)
        let session = try TLSSession(context: context, carrier: tape)
        _ = session.handshake()
        return withExtendedLifetime(tape) { session.serverName }
    }

    private static func nameByReader(_ bytes: [UInt8]) -> String? {
        switch ArrivalSight.ofClientHello(bytes.span) {
        case .host(let host, _): host
        case .undecided: nil
        }
    }

    @Test func `there are fixtures`() { #expect(Self.files.count > 40) }

    @Test(arguments: files)
    func `the name is the one that OpenSSL sees`(file: String) throws {
        let bytes = try [UInt8](Data(contentsOf: Self.folder.appending(path: file)))
        guard let ours = Self.nameByReader(bytes), let theirs = try Self.nameByOpenSSL(bytes) else { return }
        #expect(theirs == ours || theirs == ours + ".", "\(file)")
    }

    @Test(arguments: ["my-agent.localhost", "a.b", String(repeating: "a", count: 63) + ".localhost"])
    func `a hello that OpenSSL makes is read alike, however it is cut`(name: String) throws {
        let hello = try Self.hello(for: name)
        #expect(Self.nameByReader(hello) == name)
        #expect(try Self.nameByOpenSSL(hello) == name)
        for cut in 0..<hello.count { #expect(Self.nameByReader(Array(hello[..<cut])) == nil, "cut at \(cut)") }
    }

    private final class Recorder: TLSCarrier {
        var bytes: [UInt8] = []
        func readCiphertext(into buffer: UnsafeMutableRawBufferPointer) -> Int? { nil }
        func writeCiphertext(_ bytes: UnsafeRawBufferPointer) { self.bytes.append(contentsOf: bytes) }
    }

    private static func hello(for name: String) throws -> [UInt8] {
        let recorder = Recorder()
        let context = try TLSContext.client(applicationProtocols: ["h2"], trust: .system)
        let session = try TLSSession(context: context, carrier: recorder, serverName: name)
        _ = session.handshake()
        return recorder.bytes
    }
}
