internal import TunnelProfile
internal import TunnelWire

/// How destructive tools are confirmed: what `--confirm` says.
enum ConfirmationMode: String, Sendable, CaseIterable {
    /// The user is asked where the client can ask; elsewhere a token from a plan is wanted.
    case auto
    /// The user is asked; where the client cannot ask, nothing destructive is done.
    case ask
    /// A token from a plan is wanted, whatever the client can do.
    case token

    func way(canAsk: Bool) -> ConfirmationWay {
        switch (self, canAsk) {
        case (.token, _), (.auto, false): .token
        case (.auto, true), (.ask, true): .user
        case (.ask, false): .nobody
        }
    }
}

/// How the destructive calls of one client are confirmed.
enum ConfirmationWay: Sendable, Hashable, CaseIterable {
    case token, user
    /// The client cannot ask its user, and nothing less will do.
    case nobody

    /// What a tool's description says of it.
    var notice: String {
        switch self {
        case .token: "Wants a confirmation_token."
        case .user: "The user is asked first."
        case .nobody: "Refused here, because this client cannot ask its user."
        }
    }
}

/// The question whether a destructive tool may act: for the user, past the model (`elicitation/create` of the protocol).
struct ConsentQuestion: Sendable {
    static let method = "elicitation/create"
    /// Its name among the questions of a result, and the member of the form that says yes.
    static let key = "confirm"
    /// Characters of the tool's arguments that are shown.
    static let argumentCharacterCountMax = 1_000

    let tool: Tool
    let arguments: JSON
    /// Nil when it is not known: the tool will fail then, and say why.
    let server: String?

    var text: String {
        let place = server.map { " at \($0)" } ?? ""
        let shown = Printable.text(arguments.text, characterCountMax: Self.argumentCharacterCountMax)
        return "\(tool.title)\(place)? The tool \(tool.name) was called with \(shown). \(tool.effect)"
    }

    var params: JSON {
        let box = JSON.members([
            "type": .string("boolean"), "title": .string(tool.title), "description": .string("Yes, do it."),
        ])
        return .members([
            "message": .string(text),
            "requestedSchema": .members([
                "type": .string("object"), "properties": .members([Self.key: box]), "required": .strings([Self.key]),
            ]),
        ])
    }

    /// Whether a client with these capabilities can ask its user by a form. One that names no mode means the form.
    static func canBeAsked(by capabilities: JSON?) -> Bool {
        guard let elicitation = capabilities?["elicitation"], case .object = elicitation else { return false }
        return elicitation["form"] != nil || elicitation["url"] == nil
    }
}

/// What the user has answered.
enum ConsentAnswer: Sendable, Hashable {
    case given, declined
    /// The question was closed without an answer.
    case dismissed

    /// - Throws: when the client's result is no answer.
    init(_ result: JSON) throws {
        switch result["action"]?.stringValue {
        case "accept": self = result["content"]?[ConsentQuestion.key]?.boolValue == true ? .given : .declined
        case "decline": self = .declined
        case "cancel": self = .dismissed
        default:
            throw JSONRPCError.invalidParams(
                "the client's answer to \(ConsentQuestion.method) has no action accept, decline or cancel; nothing was done")
        }
    }

    /// - Throws: what the model is told when the user has not agreed.
    func require() throws {
        switch self {
        case .given: break
        case .declined:
            throw RPCFailure.make(.conflict, "the user declined; nothing was done. Do not try again unless the user wants it")
        case .dismissed:
            throw RPCFailure.make(.conflict, "the user closed the question without an answer; nothing was done")
        }
    }
}
