import TunnelWire

/// The ClientHello reader must answer any bytes alike in one piece and in two, and never give out a name that is none.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzClientHello(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
    var whole = ClientHelloReader()
    let answer = whole.read(input.span)
    let cut = input.isEmpty ? 0 : Int(input[input.count - 1]) * input.count / 256
    var reader = ClientHelloReader()
    let early = reader.read(input.span.extracting(0..<cut))
    precondition((early == .needMore ? reader.read(input.span) : early) == answer, "cut at \(cut) the answer is another")
    if case .hello(let hello) = answer, let name = hello.serverName {
        precondition((try? HostAndPort(parsing: name))?.host == name, "\(name) is no host name")
    }
    return 0
}
