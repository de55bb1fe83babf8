import Foundation
import LinuxIO
import Testing

struct LocalSocketTests {
    /// A folder whose path is longer than a socket's address may be.
    private static func folder() throws -> String {
        let path = NSTemporaryDirectory() + "/" + UUID().uuidString + "/" + String(repeating: "deep/", count: 30)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    @Test func `a message arrives whole, with its descriptors, and the peer is known`() throws {
        let path = try Self.folder() + "door"
        let listener = try LocalSocket.listen(at: path)
        let near = try LocalSocket.connect(to: path)
        guard let far = LocalSocket.accept(listener.number) else {
            Issue.record("nobody came")
            return
        }
        #expect(try #require(LocalSocket.peer(of: far.number)).processID == ProcessInfo.processInfo.processIdentifier)
        #expect(try #require(LocalSocket.peer(of: far.number)).userID == getuid())
        let ends = try LocalSocket.pair()
        let (one, other) = (ends.near, ends.far)
        try LocalSocket.send(Array("hello".utf8), descriptors: [one, other], on: near.number)
        try LocalSocket.send([7], descriptors: [], on: near.number)
        guard case .message(let bytes, let descriptors) = LocalSocket.receive(on: far.number) else {
            Issue.record("no message came")
            return
        }
        #expect(bytes == Array("hello".utf8) && descriptors.count == 2)
        guard let first = descriptors.take(0) else {
            Issue.record("no descriptor came")
            return
        }
        if descriptors.take(0) != nil { Issue.record("taken twice") }
        // The copy is the same socket: what one writes, the other end of the pair reads.
        #expect([UInt8](arrayLiteral: 42).withUnsafeBytes { Socket.send(first.number, $0) } == .moved(byteCount: 1))
        var byte: UInt8 = 0
        #expect(withUnsafeMutableBytes(of: &byte) { Socket.receive(other, into: $0) } == .moved(byteCount: 1))
        #expect(byte == 42)
        guard case .message([7], _) = LocalSocket.receive(on: far.number) else {
            Issue.record("messages ran together")
            return
        }
        _ = FileDescriptor(number: one)
        _ = FileDescriptor(number: other)
    }

    @Test func `only the owner may connect, and a new listener takes the place of the old one`() throws {
        let path = try Self.folder() + "door"
        let old = try LocalSocket.listen(at: path)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let new = try LocalSocket.listen(at: path)
        let visitor = try LocalSocket.connect(to: path)
        if LocalSocket.accept(new.number) == nil { Issue.record("the new listener hears nothing") }
        if LocalSocket.accept(old.number) != nil { Issue.record("the old listener is still reached") }
        _ = visitor.number
    }

    @Test func `nobody is at a place that nobody listens at`() throws {
        let path = try Self.folder() + "door"
        #expect(throws: IOError.self) { _ = try LocalSocket.connect(to: path) }
        _ = try LocalSocket.listen(at: path)
        let error = #expect(throws: IOError.self) { _ = try LocalSocket.connect(to: path) }
        #expect(error?.isConnectionRefused == true)
    }

    @Test func `the end of a process is heard`() throws {
        let path = try Self.folder() + "door"
        let listener = try LocalSocket.listen(at: path)
        do { _ = try LocalSocket.connect(to: path) }
        guard let far = LocalSocket.accept(listener.number) else {
            Issue.record("nobody came")
            return
        }
        guard case .ended = LocalSocket.receive(on: far.number) else {
            Issue.record("the end was not heard")
            return
        }
    }
}
