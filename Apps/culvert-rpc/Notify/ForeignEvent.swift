internal import TunnelProfile
internal import TunnelWire

/// What another program of this machine says has happened. What is in it may come from anybody.
struct ForeignEvent: Sendable, Hashable {
    /// Characters of a type; a longer one is refused.
    static let typeCharacterCountMax = 200

    /// The method of the notification that brought it, such as `hook.received`.
    var type: String
    /// Its parameters.
    var params: JSON

    /// Takes a call for an event.
    ///
    /// - Throws: when its name is reserved (JSON-RPC 2.0 section 4.1), or none at all.
    init(method: String, _ params: JSONRPCParams) throws(JSONRPCError) {
        guard !method.isEmpty, method.unicodeScalars.count <= Self.typeCharacterCountMax else {
            throw .invalidRequest("the method is the event's type, of 1 to \(Self.typeCharacterCountMax) characters")
        }
        guard !method.hasPrefix("rpc."), !method.hasPrefix("$/") else {
            throw .methodNotFound("a method that begins with \"rpc.\" or \"$/\" is no type of an event")
        }
        type = method
        self.params = params.json ?? .object([])
    }

    /// As an `event` notification has it: whole.
    var document: JSON {
        .members([
            "type": .string(type), "event": params, "origin": .string("notify-socket"), "trust": .string("untrusted"),
        ])
    }

    /// As a model is shown it: without secrets, and cut.
    func shown(characterCountMax: Int) -> JSON {
        let text = Redaction.json(params).text
        let shown = String(text.unicodeScalars.prefix(characterCountMax))
        return .members([
            "type": .string(Printable.text(type)), "event": .string(shown),
            "is_truncated": .bool(shown.utf8.count < text.utf8.count), "origin": .string("notify-socket"),
            "trust": .string("untrusted"), "notice": .string(ToolBox.notice),
        ])
    }
}
