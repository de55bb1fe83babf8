internal import TunnelDomain

/// Names a timer, so that it can be cancelled.
package struct TimerID: Hashable, Sendable {
    fileprivate let number: UInt64
}

/// What is to be done when: a binary heap by deadline. Cancelling is lazy: the entry stays and does nothing.
struct TimerQueue {
    private struct Entry {
        var deadline: MonotonicInstant
        var number: UInt64
    }

    private var heap: [Entry] = []
    private var actions: [UInt64: () -> Void] = [:]
    private var lastNumber: UInt64 = 0

    /// The earliest deadline that somebody still waits for.
    var nextDeadline: MonotonicInstant? {
        mutating get {
            dropCancelled()
            return heap.first?.deadline
        }
    }

    mutating func add(at deadline: MonotonicInstant, _ action: @escaping () -> Void) -> TimerID {
        lastNumber += 1
        actions[lastNumber] = action
        heap.append(Entry(deadline: deadline, number: lastNumber))
        siftUp(heap.count - 1)
        return TimerID(number: lastNumber)
    }

    mutating func cancel(_ timer: TimerID) { actions[timer.number] = nil }

    /// Takes out the next action that is due, or nil.
    mutating func popDue(at now: MonotonicInstant) -> (() -> Void)? {
        dropCancelled()
        guard let first = heap.first, first.deadline <= now else { return nil }
        removeFirst()
        return actions.removeValue(forKey: first.number)
    }

    private mutating func dropCancelled() {
        while let first = heap.first, actions[first.number] == nil { removeFirst() }
    }

    private mutating func removeFirst() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        siftDown(0)
    }

    private func isEarlier(_ left: Int, _ right: Int) -> Bool {
        (heap[left].deadline, heap[left].number) < (heap[right].deadline, heap[right].number)
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0, isEarlier(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isEarlier(child, least) { least = child }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
