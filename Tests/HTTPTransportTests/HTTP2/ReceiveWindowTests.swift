@testable import HTTPTransport
import Testing

private let first = 128 * 1024
private let millisecond: Int64 = 1_000_000

/// Takes `total` bytes in pieces of 16 KiB at an even pace; every growth that is offered is taken.
private func take(
    _ total: Int, inNanoseconds time: Int64, roundTrip: Int64, usual: Int = 0, into window: inout ReceiveWindow
) {
    let piece = 16 * 1024
    for offset in stride(from: 0, to: total, by: piece) {
        let now = Int64(offset) * time / Int64(total)
        if let larger = window.consumed(piece, atNanoseconds: now, roundTrip: roundTrip, usual: usual) {
            window.grow(to: larger)
        }
    }
}

@Test func `a window stays as it is until its reader has proven itself`() {
    var window = ReceiveWindow(byteCount: first)
    let near = ReceiveWindow.farRoundTrip - 1
    take(ReceiveWindow.provenByteCount - 16 * 1024, inNanoseconds: 1, roundTrip: near, into: &window)
    #expect(window.byteCount == first)
    take(first, inNanoseconds: 1, roundTrip: near, into: &window)
    #expect(window.byteCount == 4 * first)
}

@Test func `on a long path it grows a little first, and then by much`() {
    var window = ReceiveWindow(byteCount: first)
    take(ReceiveWindow.farProvenByteCount - 16 * 1024, inNanoseconds: 1, roundTrip: 40 * millisecond, into: &window)
    #expect(window.byteCount == ReceiveWindow.unprovenByteCountMax)
    take(first, inNanoseconds: 1, roundTrip: 40 * millisecond, into: &window)
    #expect(window.byteCount == 16 * ReceiveWindow.unprovenByteCountMax)
}

@Test func `a reader that took what the buffers on its way hold has at most a little more coming`() {
    var window = ReceiveWindow(byteCount: first)
    take(first, inNanoseconds: 1, roundTrip: 40 * millisecond, into: &window)
    #expect(window.byteCount == ReceiveWindow.unprovenByteCountMax)
    take(2 * first, inNanoseconds: 10_000 * millisecond, roundTrip: 40 * millisecond, into: &window)
    #expect(window.byteCount == ReceiveWindow.unprovenByteCountMax)
}

@Test(arguments: [
    (roundTrip: 40 * millisecond, largest: ReceiveWindow.byteCountMax),
    (roundTrip: ReceiveWindow.farRoundTrip, largest: ReceiveWindow.byteCountMax),
    (roundTrip: ReceiveWindow.farRoundTrip - 1, largest: ReceiveWindow.nearByteCountMax),
])
func `a fast reader's window grows to what its path needs, and no further`(roundTrip: Int64, largest: Int) {
    var window = ReceiveWindow(byteCount: first)
    take(100 * 1024 * 1024, inNanoseconds: millisecond, roundTrip: roundTrip, into: &window)
    #expect(window.byteCount == largest)
}

@Test func `a reader that takes longer than two round trips for half a window keeps a small one`() {
    var window = ReceiveWindow(byteCount: first)
    let windows: Int64 = 100
    take(Int(windows) * first, inNanoseconds: windows * 240 * millisecond, roundTrip: 40 * millisecond, into: &window)
    #expect(window.byteCount == first)
}

@Test func `a proven reader gets at once what others of its connection have needed`() {
    var window = ReceiveWindow(byteCount: first)
    let usual = 8 * 1024 * 1024
    take(ReceiveWindow.provenByteCount + first, inNanoseconds: 1, roundTrip: 40 * millisecond, usual: usual, into: &window)
    #expect(window.byteCount == usual)
}

@Test func `a window does not grow before the round trip is known`() {
    var window = ReceiveWindow(byteCount: first)
    take(10 * 1024 * 1024, inNanoseconds: 1, roundTrip: 0, into: &window)
    #expect(window.byteCount == first)
}
