internal import TunnelWire

/// What an agent asks for under `/_system` (data plane, sections 2 to 4).
enum AgentPath {
    case hello, intake
    /// The id of the request lies in these bytes of the target.
    case response(Range<Int>)

    private static let responsePrefix: StaticString = "/_system/response/"

    /// Reads the path of a target; a query is ignored.
    init?(_ target: String) {
        let bytes = target.utf8.span
        let path = bytes.extracting(0..<(bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.count))
        if path.equals("/_system/intake") {
            self = .intake
        } else if path.equals("/_system/hello") {
            self = .hello
        } else {
            let start = Self.responsePrefix.utf8CodeUnitCount
            guard path.count > start, path.extracting(0..<start).equals(Self.responsePrefix) else { return nil }
            self = .response(start..<path.count)
        }
    }
}
