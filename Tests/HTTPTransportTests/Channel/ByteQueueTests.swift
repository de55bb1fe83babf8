@testable import HTTPTransport
import TestSupport
import Testing

@Test func `a byte queue does what an array would`() throws {
    try checkProperty { sample in
        var queue = ByteQueue()
        queue.keepByteCountMax = sample.int(in: 0...1) * 4096
        var naive: [UInt8] = []
        var next: UInt8 = 0
        for _ in 0..<sample.int(in: 0...40) {
            switch sample.int(in: 0...4) {
            case 0, 1:
                let more = (0..<sample.int(in: 0...1500)).map { _ in
                    next &+= 1
                    return next
                }
                more.withUnsafeBytes { queue.append($0) }
                naive += more
            case 2:
                let count = sample.int(in: 0...naive.count)
                queue.removeFirst(count)
                naive.removeFirst(count)
            case 3 where !naive.isEmpty:
                let front = (0..<sample.int(in: 0...ByteQueue.frontByteCount)).map { _ in UInt8(255) }
                let count = sample.int(in: 0...naive.count)
                let framed = front.withUnsafeBytes { Array(queue.first(count, after: $0)) }
                try sample.check(framed, is: front + naive.prefix(count), "the first bytes behind a head")
            default: queue.trim()
            }
            try sample.check(queue.count, is: naive.count, "the count")
            try sample.check(Array(queue.bytes), is: naive, "the bytes")
        }
    }
}
