internal import TunnelWire

/// What an agent asks for under `/_system` (data plane, sections 2 to 4).
enum AgentPath {
    case hello, intake
    /// The agent wants no more work on this connection (feature `leave`).
    case leave
    /// The id of the request lies in these bytes of the target.
    case response(Range<Int>)
    /// The id of the WebSocket to bind lies in these bytes of the target.
    case webSocket(Range<Int>)
    /// The id of the TCP stream to bind lies in these bytes of the target.
    case tcpStream(Range<Int>)

    private static let responsePrefix: StaticString = "/_system/response/"
    private static let webSocketPrefix: StaticString = "/_system/ws/"
    private static let tcpStreamPrefix: StaticString = "/_system/tcp/"

    /// Reads the path of a target; a query is ignored.
    init?(_ target: String) {
        let bytes = target.utf8.span
        let path = bytes.extracting(0..<(bytes.firstIndex(of: UInt8(ascii: "?")) ?? bytes.count))
        if path.equals("/_system/intake") {
            self = .intake
        } else if path.equals("/_system/hello") {
            self = .hello
        } else if path.equals("/_system/leave") {
            self = .leave
        } else if let id = Self.rest(of: path, behind: Self.responsePrefix) {
            self = .response(id)
        } else if let id = Self.rest(of: path, behind: Self.webSocketPrefix) {
            self = .webSocket(id)
        } else if let id = Self.rest(of: path, behind: Self.tcpStreamPrefix) {
            self = .tcpStream(id)
        } else {
            return nil
        }
    }

    private static func rest(of path: Span<UInt8>, behind prefix: StaticString) -> Range<Int>? {
        let start = prefix.utf8CodeUnitCount
        guard path.count > start, path.extracting(0..<start).equals(prefix) else { return nil }
        return start..<path.count
    }
}
