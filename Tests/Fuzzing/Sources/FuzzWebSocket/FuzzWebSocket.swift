import TunnelWire

/// The message reader must say the same of any bytes in one piece and in two.
/// What it accepts, it accepts again when written anew.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzWebSocket(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
    guard let last = input.last else { return 0 }
    let role: WebSocketFrameReader.Role = last & 1 == 0 ? .server : .client
    let bytes = Array(input.dropLast())
    let cut = Int(last) * bytes.count / 256
    let whole = Reading(of: [bytes], role: role)
    precondition(Reading(of: [Array(bytes[..<cut]), Array(bytes[cut...])], role: role) == whole, "cut at \(cut) it is another")
    let again = Reading(of: [whole.written], role: .client)
    precondition(again.events == whole.events && again.error == nil, "what was read is not read again")
    return 0
}

private struct Reading: Equatable {
    private(set) var events: [WebSocketMessageReader.Event] = []
    private(set) var error: WebSocketError?

    init(of pieces: [[UInt8]], role: WebSocketFrameReader.Role) {
        var reader = WebSocketMessageReader(role: role, messageByteCountMax: 4096)
        do {
            for piece in pieces {
                var offset = 0
                while let event = try reader.next(in: piece.span, &offset) { events.append(event) }
                precondition(offset == piece.count, "nothing more to say, and not all was used")
            }
        } catch {
            self.error = error
        }
    }

    /// The events as a server sends them.
    var written: [UInt8] {
        var bytes: [UInt8] = []
        for event in events {
            let (opcode, payload): (WebSocketOpcode, [UInt8]) =
                switch event {
                case .text(let payload): (.text, payload)
                case .binary(let payload): (.binary, payload)
                case .ping(let payload): (.ping, payload)
                case .pong(let payload): (.pong, payload)
                case .close(let close): (.close, close.payload)
                }
            bytes.append(WebSocketFrameHeader(opcode: opcode, payloadByteCount: payload.count), payload: payload.span)
        }
        return bytes
    }
}
