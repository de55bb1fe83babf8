/// Bytes waiting to go out, in order, in one contiguous buffer that grows and is given back when empty.
struct ByteQueue: ~Copyable {
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

    mutating func removeFirst(_ count: Int) {
        head += count
        guard head == tail else { return }
        head = 0
        tail = 0
        if buffer.count > keepByteCountMax { release() }
    }

    mutating func removeAll() { removeFirst(count) }

    /// Gives the memory back, if nothing is waiting.
    mutating func trim() { if isEmpty { release() } }

    private mutating func release() {
        buffer.deallocate()
        buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    private mutating func makeRoom(for more: Int) {
        guard tail + more > buffer.count else { return }
        if head > 0, count + more <= buffer.count, head >= count {
            buffer.copyMemory(from: bytes)
        } else {
            var capacity = max(512, buffer.count)
            while capacity < count + more { capacity *= 2 }
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
            if !isEmpty { larger.copyMemory(from: bytes) }
            buffer.deallocate()
            buffer = larger
        }
        tail -= head
        head = 0
    }
}
