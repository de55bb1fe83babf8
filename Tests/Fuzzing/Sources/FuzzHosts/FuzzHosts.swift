import TunnelWire

/// A host that is accepted is the same after it was written and read again, and so is a message of a hand-over; paths are
/// judged without a trap.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHosts(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
    _ = ForwardPath.isSafe(String(decoding: input, as: UTF8.self))
    if let message = HandoverMessage(input) { precondition(HandoverMessage(message.bytes) == message) }
    let parsed = try? HostAndPort(parsing: input.span)
    precondition((parsed != nil) == HostAndPort.isLegal(input.span))
    guard let parsed else { return 0 }
    precondition((try? HostAndPort(parsing: parsed.description)) == parsed, "\(parsed) is not the same when read again")
    precondition(parsed.host.utf8.allSatisfy { HTTPSyntax.isToken($0) || $0 == 0x3A } && !parsed.host.isEmpty)
    return 0
}
