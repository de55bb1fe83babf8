internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

extension CreateIdentity.Request {
    init(_ body: JSONValue) throws(Problem) {
        var reader = MemberReader(body)
        let handle = reader.string("agent_handle").flatMap { reader.agentHandle($0) }
        let displayName = reader.displayName()
        let description = reader.identityDescription()
        let tlsMode = reader.nestedTLSMode()
        reader.refuseOtherChannels()
        try reader.check()
        guard let handle else { preconditionFailure("a handle that is missing has been refused above") }
        self.init(
            handle: handle, displayName: displayName.applied(to: nil), description: description.applied(to: nil),
            tlsMode: tlsMode)
    }
}

extension UpdateIdentity.Request {
    init(_ body: JSONValue) throws(Problem) {
        var reader = MemberReader(body)
        let text = body["agent_handle"] == nil ? nil : reader.string("agent_handle")
        let handle = text.flatMap { reader.agentHandle($0) }
        let displayName = reader.displayName()
        let description = reader.identityDescription()
        if body["tunnel"] != nil, body["tunnel"] != .null {
            reader.refuse("tunnel", "It cannot be changed here; a new agent_handle renames the tunnel.")
        }
        reader.refuseOtherChannels()
        try reader.check()
        self.init(handle: handle, displayName: displayName, description: description)
    }
}

extension MemberReader {
    /// What clients may ask for when they make or change an identity, and what this service does not have.
    static let otherChannels = [
        "mailbox", "phone_number", "imessage_enabled", "claim_imessage_number", "imessage_number_id", "vault_secret_ids",
    ]

    /// Refuses whoever asks for a channel; null and false ask for none.
    mutating func refuseOtherChannels() {
        for name in Self.otherChannels {
            switch body[name] {
            case nil, .null, .bool(false): continue
            default: refuse(name, "It is not offered here: an identity has a tunnel and nothing else.")
            }
        }
    }

    mutating func agentHandle(_ text: String) -> AgentHandle? {
        do throws(TunnelNameError) {
            return try AgentHandle(validating: text)
        } catch {
            refuse("agent_handle", error.explanation)
            return nil
        }
    }

    mutating func displayName() -> FieldChange<String> {
        let change = plainText("display_name")
        do throws(IdentityFieldError) {
            try Identity.check(displayName: change.applied(to: nil))
        } catch {
            errors.append(FieldError(error))
        }
        return change
    }

    mutating func identityDescription() -> FieldChange<String> {
        let change = plainText("description")
        do throws(IdentityFieldError) {
            try Identity.check(description: change.applied(to: nil))
        } catch {
            errors.append(FieldError(error))
        }
        return change
    }

    /// A string without U+0000, null, or nothing.
    mutating func plainText(_ name: String) -> FieldChange<String> {
        let change = change(name)
        if change.applied(to: nil)?.unicodeScalars.contains("\0") == true { refuse(name, "It contains the character U+0000.") }
        return change
    }

    /// The mode in the nested `tunnel` object, which may be left out.
    mutating func nestedTLSMode() -> TLSMode {
        switch body["tunnel"] {
        case nil, .null: return .edge
        case .object(let members):
            var nested = MemberReader(.object(members))
            let mode = nested.tlsMode()
            errors += nested.errors.map { FieldError("/tunnel" + $0.pointer, $0.detail) }
            return mode
        case let other?:
            refuse("tunnel", "It is \(other.kindDescription); send an object.")
            return .edge
        }
    }
}

extension FieldError {
    init(_ error: IdentityFieldError) {
        switch error {
        case .displayNameEmpty, .displayNameTooLong: self.init("/display_name", error.explanation)
        case .descriptionTooLong: self.init("/description", error.explanation)
        }
    }
}

extension APICall {
    /// The handle that the path names, with or without `@`; nil for a text that is none, which is treated like an unknown one.
    var agentHandle: AgentHandle? {
        parameters.first.flatMap { try? AgentHandle(validating: RequestTarget.decodedSegment($0)) }
    }
}
