/// What a GOAWAY means to the agent (data plane §8).
enum GoAwayVerdict: Equatable {
    /// Another agent has the tunnel: stop for good.
    case superseded
    /// The connection ends soon: connect anew at once, and finish here what is under way.
    case handOver(reason: String)
    /// The server found fault with the connection: connect anew after a pause.
    case broken(reason: String)

    /// The error code that a superseded agent is told.
    static let supersededCode: UInt32 = 0x1201

    init(errorCode: UInt32, debugData: [UInt8]) {
        let text = String(decoding: debugData.prefix(256).filter { (0x20...0x7E).contains($0) }, as: UTF8.self)
        switch errorCode {
        case Self.supersededCode: self = .superseded
        case 0: self = .handOver(reason: Self.reason(in: text) ?? "the server ends this connection")
        default: self = .broken(reason: "the server ended the connection (HTTP/2 error \(errorCode)) \(text)")
        }
    }

    /// The value of `"reason"` in the debug data, which is small and written by the server's own hand.
    private static func reason(in text: String) -> String? {
        guard let mark = text.firstRange(of: "\"reason\":\"") else { return nil }
        let rest = text[mark.upperBound...]
        return rest.firstIndex(of: "\"").map { String(rest[..<$0]) }
    }
}
