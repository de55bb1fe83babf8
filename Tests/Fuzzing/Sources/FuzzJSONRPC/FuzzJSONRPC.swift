import TunnelWire

/// The stream reader must say the same of any bytes in one piece and in two, and never more than there can be in them.
/// What it takes for a message, it takes again when written anew.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzJSONRPC(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
    guard let last = input.last else { return 0 }
    let bytes = Array(input.dropLast())
    let cut = Int(last) * bytes.count / 256
    let whole = events(of: [bytes])
    precondition(events(of: [Array(bytes[..<cut]), Array(bytes[cut...])]) == whole, "cut at \(cut) it is another")
    precondition(whole.count <= bytes.count + 1, "more is said than was there")
    for case .value(let value) in whole { check(value) }
    return 0
}

private func events(of pieces: [[UInt8]]) -> [JSONRPCStreamReader.Event] {
    var limits = JSONRPCLimits()
    limits.messageByteCountMax = 1024
    limits.headerByteCountMax = 128
    var reader = JSONRPCStreamReader(limits: limits)
    var events: [JSONRPCStreamReader.Event] = []
    for piece in pieces {
        reader.receive(piece.span)
        while let event = reader.next() { events.append(event) }
    }
    reader.finish()
    while let event = reader.next() { events.append(event) }
    return events
}

private func check(_ value: JSONValue) {
    for framing in JSONRPCFraming.allCases {
        precondition(framing.frame(value).count <= 6 * 1024 + 64, "it grew")
    }
    guard let message = try? JSONRPCMessage(value) else { return }
    guard let again = try? JSONRPCMessage(message.json) else { preconditionFailure("a message is none when written anew") }
    precondition(again == message, "a message is another when written anew")
}
