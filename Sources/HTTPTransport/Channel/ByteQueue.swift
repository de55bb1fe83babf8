/// Bytes waiting to go out, in order, in one contiguous buffer that grows and is given back when empty.
struct ByteQueue: ~Copyable {
    /// Room that is always there before the first byte, so that a frame's head can be laid in front of what it announces.
    static let frontByteCount = 16

    /// An empty queue keeps a buffer of up to this size; 0 gives all memory back, which suits connections that mostly idle.
    var keepByteCountMax = 0

    private var buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var head = 0
    private var tail = 0

    var count: Int { tail - head }
    var isEmpty: Bool { head == tail }

    deinit { buffer.deallocate() }

    /// The waiting bytes; valid until the queue is changed.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[head..<tail]) }

    mutating func append(_ source: UnsafeRawBufferPointer) {
        guard source.count > 0 else { return }
        makeRoom(for: source.count)
        UnsafeMutableRawBufferPointer(rebasing: buffer[tail...]).copyMemory(from: source)
        tail += source.count
    }

    mutating func append(_ source: Span<UInt8>) {
        source.withUnsafeBufferPointer { append(UnsafeRawBufferPointer($0)) }
    }

    /// The first bytes with another few laid in front of them, in one piece; valid until the queue is changed.
    mutating func first(_ count: Int, after front: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        precondition(!isEmpty && front.count <= ByteQueue.frontByteCount, "a queue has room for a frame's head and no more")
        UnsafeMutableRawBufferPointer(rebasing: buffer[(head - front.count)...]).copyMemory(from: front)
        return UnsafeRawBufferPointer(rebasing: buffer[(head - front.count)..<(head + count)])
    }

    mutating func removeFirst(_ count: Int) {
        head += count
        guard head == tail, count > 0 else { return }
        head = ByteQueue.frontByteCount
        tail = head
        if buffer.count > keepByteCountMax { release() }
    }

    mutating func removeAll() { removeFirst(count) }

    /// Gives the memory back, if nothing is waiting.
    mutating func trim() { if isEmpty { release() } }

    private mutating func release() {
        buffer.deallocate()
        buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        head = 0
        tail = 0
    }

    private mutating func makeRoom(for more: Int) {
        guard tail + more > buffer.count else { return }
        let front = ByteQueue.frontByteCount
        let waiting = count
        if front + waiting + more <= buffer.count, head >= front + waiting {
            UnsafeMutableRawBufferPointer(rebasing: buffer[front...]).copyMemory(from: bytes)
        } else {
            var capacity = max(512, buffer.count)
            while capacity < front + waiting + more { capacity *= 2 }
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
            if waiting > 0 { UnsafeMutableRawBufferPointer(rebasing: larger[front...]).copyMemory(from: bytes) }
            buffer.deallocate()
            buffer = larger
        }
        head = front
        tail = front + waiting
    }
}
