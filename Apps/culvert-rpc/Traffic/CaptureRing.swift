/// The last requests, up to a number and a number of bytes; the oldest make room.
struct CaptureRing: Sendable {
    private let countMax: Int
    private let byteCountMax: Int
    /// In rising sequence.
    private(set) var requests: [CapturedRequest] = []
    private var byteCount = 0
    private(set) var lastSequence = 0

    init(countMax: Int, byteCountMax: Int) {
        self.countMax = countMax
        self.byteCountMax = byteCountMax
    }

    /// Takes a request in and gives it its sequence number.
    mutating func append(_ request: CapturedRequest) -> Int {
        lastSequence += 1
        var request = request
        request.sequence = lastSequence
        requests.append(request)
        byteCount += request.byteCount
        makeRoom()
        return lastSequence
    }

    /// Notes how a request ended; nil when it is forgotten already.
    mutating func finish(_ sequence: Int, _ outcome: CapturedRequest.Outcome) -> CapturedRequest? {
        guard let index = index(of: sequence) else { return nil }
        byteCount -= requests[index].byteCount
        requests[index].outcome = outcome
        byteCount += requests[index].byteCount
        let finished = requests[index]
        makeRoom()
        return finished
    }

    func request(_ sequence: Int) -> CapturedRequest? { index(of: sequence).map { requests[$0] } }

    /// Sequences have no gaps, so the number tells the place.
    private func index(of sequence: Int) -> Int? {
        guard let first = requests.first?.sequence, sequence >= first, sequence - first < requests.count else { return nil }
        return sequence - first
    }

    private mutating func makeRoom() {
        var count = 0
        var left = byteCount
        while requests.count - count > countMax || (left > byteCountMax && requests.count - count > 1) {
            left -= requests[count].byteCount
            count += 1
        }
        requests.removeFirst(count)
        byteCount = left
    }
}
