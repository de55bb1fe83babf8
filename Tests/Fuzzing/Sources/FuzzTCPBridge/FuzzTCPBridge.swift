import TunnelWire

/// The reader of a TCP connection's bridge must say the same of any bytes in one piece and in two.
/// It never gives out more bytes than came in.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTCPBridge(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
    guard let last = input.last else { return 0 }
    let role: WebSocketFrameReader.Role = last & 1 == 0 ? .server : .client
    let bytes = Array(input.dropLast())
    let cut = Int(last) * bytes.count / 256
    let whole = Reading(of: [bytes], role: role)
    precondition(Reading(of: [Array(bytes[..<cut]), Array(bytes[cut...])], role: role) == whole, "cut at \(cut) it is another")
    precondition(whole.bytes.count <= bytes.count, "bytes came from nowhere")
    return 0
}

private struct Reading: Equatable {
    private(set) var bytes: [UInt8] = []
    private(set) var others: [TCPBridgeReader.Event] = []
    private(set) var error: TCPBridgeError?

    init(of pieces: [[UInt8]], role: WebSocketFrameReader.Role) {
        var reader = TCPBridgeReader(role: role)
        do {
            for piece in pieces {
                var offset = 0
                while let event = try reader.next(in: piece.span, &offset, appendingTo: &bytes) {
                    if event != .bytes { others.append(event) }
                }
                precondition(offset == piece.count, "nothing more to say, and not all was used")
            }
        } catch {
            self.error = error
        }
    }
}
