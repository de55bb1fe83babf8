internal import TunnelWire

/// Which calls are under way: how many may run, which wait in line, and which one an id means.
///
/// It decides; the session carries out. Calls that wait for something to happen have places of their own, so that many of them
/// do not keep the others from running.
struct CallLedger: Sendable {
    /// The number that this process gives a call. Ids are the client's affair, and two calls may have the same.
    typealias Number = UInt64

    enum Lane: Sendable, Hashable { case call, wait }

    enum Admission: Hashable {
        case start(Number)
        /// It starts when ``ended(_:)`` names it.
        case queue(Number)
        case refuse(String)
    }

    /// How a call was taken back.
    enum Cancellation: Hashable {
        /// Its work is to be stopped.
        case running(Number)
        /// It never began.
        case queued(Number)
    }

    private struct Entry {
        var id: JSONRPCID?
        var lane: Lane
        var isRunning: Bool
        /// What of its parameters is counted, in bytes.
        var heldByteCount: Int
    }

    private let callCountMax: Int
    private let waitCountMax: Int
    private let queuedCountMax: Int
    private let heldByteCountMax: Int
    private var entries: [Number: Entry] = [:]
    private var numbers: [JSONRPCID: Set<Number>] = [:]
    private var queue: [Number] = []
    private var queueStart = 0
    private var runningCallCount = 0
    private var waitCount = 0
    private var heldByteCount = 0
    private var last: Number = 0

    /// - Parameter heldByteCountMax: for the parameters of all calls that stand in line or wait for something to happen.
    init(callCountMax: Int, waitCountMax: Int, queuedCountMax: Int, heldByteCountMax: Int) {
        self.heldByteCountMax = heldByteCountMax
        self.callCountMax = callCountMax
        self.waitCountMax = waitCountMax
        self.queuedCountMax = queuedCountMax
    }

    var isEmpty: Bool { entries.isEmpty }
    var queuedCount: Int { queue.count - queueStart }
    /// Every call that is under way or in line.
    var all: [Number] { Array(entries.keys) }
    func lane(of number: Number) -> Lane? { entries[number]?.lane }

    /// Takes a call in; nil is the id of a notification.
    ///
    /// - Parameter byteCount: of its parameters; asked only when they must be held.
    mutating func admit(_ id: JSONRPCID?, lane: Lane, byteCount: @autoclosure () -> Int) -> Admission {
        switch lane {
        case .wait:
            guard waitCount < waitCountMax else {
                return .refuse("\(waitCountMax) calls are waiting already; cancel one, or start with --limit waits=N")
            }
            let byteCount = byteCount()
            guard hasRoom(for: byteCount) else { return .refuse(tooMuchHeld) }
            waitCount += 1
            return .start(add(id, lane, isRunning: true, holding: byteCount))
        case .call:
            if runningCallCount < callCountMax {
                runningCallCount += 1
                return .start(add(id, lane, isRunning: true, holding: 0))
            }
            guard queuedCount < queuedCountMax else {
                return .refuse("\(queuedCountMax) calls are in line already; wait for answers, or --limit queued-calls=N")
            }
            let byteCount = byteCount()
            guard hasRoom(for: byteCount) else { return .refuse(tooMuchHeld) }
            let number = add(id, lane, isRunning: false, holding: byteCount)
            queue.append(number)
            return .queue(number)
        }
    }

    /// Forgets a call that is over; says which one may start now.
    mutating func ended(_ number: Number) -> Number? {
        guard let entry = remove(number) else { return nil }
        switch entry.lane {
        case .wait:
            waitCount -= 1
            return nil
        case .call:
            guard entry.isRunning else { return nil }
            runningCallCount -= 1
            return startNext()
        }
    }

    /// Takes back every call with this id; those that wait in line are forgotten at once.
    mutating func cancel(_ id: JSONRPCID) -> [Cancellation] { (numbers[id] ?? []).sorted().compactMap { cancel($0) } }

    /// Takes back one call.
    mutating func cancel(_ number: Number) -> Cancellation? {
        guard let entry = entries[number] else { return nil }
        if entry.isRunning { return .running(number) }
        _ = remove(number)
        if let place = queue[queueStart...].firstIndex(of: number) { queue.remove(at: place) }
        return .queued(number)
    }

    private func hasRoom(for byteCount: Int) -> Bool { byteCount <= heldByteCountMax - heldByteCount }

    private var tooMuchHeld: String {
        "the parameters of the calls in line would be more than \(heldByteCountMax) bytes; wait for answers, or "
            + "--limit queued-bytes=N"
    }

    private mutating func add(_ id: JSONRPCID?, _ lane: Lane, isRunning: Bool, holding byteCount: Int) -> Number {
        last += 1
        heldByteCount += byteCount
        entries[last] = Entry(id: id, lane: lane, isRunning: isRunning, heldByteCount: byteCount)
        if let id { numbers[id, default: []].insert(last) }
        return last
    }

    private mutating func remove(_ number: Number) -> Entry? {
        guard let entry = entries.removeValue(forKey: number) else { return nil }
        heldByteCount -= entry.heldByteCount
        if let id = entry.id {
            numbers[id]?.remove(number)
            if numbers[id]?.isEmpty == true { numbers[id] = nil }
        }
        return entry
    }

    private mutating func startNext() -> Number? {
        defer {
            // What has been passed goes when it is at least half, so that none is moved often.
            if queueStart * 2 >= queue.count {
                queue.removeSubrange(..<queueStart)
                queueStart = 0
            }
        }
        while queueStart < queue.count {
            let number = queue[queueStart]
            queueStart += 1
            guard let entry = entries[number] else { continue }
            // What runs is bounded by its number.
            heldByteCount -= entry.heldByteCount
            entries[number]?.heldByteCount = 0
            entries[number]?.isRunning = true
            runningCallCount += 1
            return number
        }
        return nil
    }
}
