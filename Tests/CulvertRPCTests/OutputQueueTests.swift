import Foundation
import LinuxIO
import Testing

@testable import culvert_rpc

struct OutputQueueTests {
    @Test func `what is sent is written in order, and flushed`() async throws {
        let pipe = Pipe()
        let queue = try OutputQueue(descriptor: pipe.fileHandleForWriting.fileDescriptor, byteCountMax: 1 << 20) {}
        for number in 0..<100 { queue.send(Array("\(number)\n".utf8)) }
        await queue.flush()
        let text = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
        #expect(text == (0..<100).map { "\($0)\n" }.joined())
    }

    @Test func `who reads the input is held up while too much is unread`() async throws {
        let pipe = Pipe()
        let queue = try OutputQueue(descriptor: pipe.fileHandleForWriting.fileDescriptor, byteCountMax: 65_536) {}
        queue.send([UInt8](repeating: 0x78, count: 400_000))
        let reader = try EventLoop()
        async let waited: Void = reader.run { _ in queue.waitForRoom() }
        var byteCount = 0
        while byteCount < 400_000 { byteCount += pipe.fileHandleForReading.availableData.count }
        try await waited
        await queue.flush()
        #expect(byteCount == 400_000)
        reader.stop()
    }

    @Test func `what nobody has asked for is left out while too much is unread, and answers are not`() async throws {
        let pipe = Pipe()
        let queue = try OutputQueue(descriptor: pipe.fileHandleForWriting.fileDescriptor, byteCountMax: 65_536) {}
        queue.offer([UInt8](repeating: 0x61, count: 400_000))
        queue.offer([0x62])
        queue.send([0x63])
        var bytes: [UInt8] = []
        while bytes.last != 0x63 { bytes += Array(pipe.fileHandleForReading.availableData) }
        #expect(bytes.count == 400_001)
        await queue.flush()
        queue.offer([0x64])
        await queue.flush()
        #expect(Array(pipe.fileHandleForReading.availableData) == [0x64])
    }

    @Test func `when nobody reads any more it says so once and holds nobody up`() async throws {
        Signals.ignoreBrokenPipes()
        let pipe = Pipe()
        try pipe.fileHandleForReading.close()
        let (ends, ending) = AsyncStream.makeStream(of: Void.self)
        let queue = try OutputQueue(descriptor: pipe.fileHandleForWriting.fileDescriptor, byteCountMax: 1) { ending.yield() }
        queue.send([1, 2, 3])
        for await _ in ends { break }
        queue.send([4])
        queue.waitForRoom()
        await queue.flush()
    }
}
