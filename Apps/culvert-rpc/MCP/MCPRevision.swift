/// The revisions of the Model Context Protocol that are spoken (modelcontextprotocol.io/specification).
enum MCPRevision: String, Sendable, CaseIterable, Comparable {
    case november2024 = "2024-11-05"
    case march2025 = "2025-03-26"
    case june2025 = "2025-06-18"
    case november2025 = "2025-11-25"
    /// Without a handshake: every request says its revision.
    case july2026 = "2026-07-28"

    static func < (left: MCPRevision, right: MCPRevision) -> Bool { left.rawValue < right.rawValue }

    /// The newest one that begins with a handshake.
    static let newestWithHandshake = MCPRevision.november2025

    var isStateless: Bool { self >= .july2026 }
    var hasAnnotations: Bool { self >= .march2025 }
    /// The server can have the client ask its user something.
    var hasElicitation: Bool { self >= .june2025 }
    var hasStructuredContent: Bool { self >= .june2025 }

    /// The code for a resource that is not there.
    var missingResourceCode: Int { isStateless ? -32602 : -32002 }
}
