/// An agent's identity: the handle that people know it by, and what belongs to it.
///
/// An identity owns exactly one tunnel, which has the handle as its name and is created, renamed and deleted with it. The
/// record is a value, like ``Tunnel``: a use case reads it, applies one transition, and stores the result.
/// Rules: the control plane's section 4.
public struct Identity: Hashable, Sendable {
    /// The most Unicode scalars of a display name.
    public static let displayNameScalarCountMax = 255
    /// The most Unicode scalars of a description.
    public static let descriptionScalarCountMax = 1000

    public let id: IdentityID
    public let organizationID: OrganizationID
    /// Unique among all living identities, and the name of the identity's tunnel.
    public internal(set) var handle: AgentHandle
    public internal(set) var displayName: String?
    public internal(set) var description: String?
    /// What signs the webhooks about this identity; nil until one was asked for.
    public internal(set) var signingKey: SealedSigningKey?
    public let createdAt: Timestamp
    public internal(set) var updatedAt: Timestamp
    /// When the identity was deleted; nil while it lives. There is no grace window.
    public internal(set) var deletedAt: Timestamp?

    /// A webhook signing key as it is kept: it has to sign later, so it is encrypted and not hashed.
    public struct SealedSigningKey: Hashable, Sendable {
        /// The key's text, encrypted; the domain never sees it in the open.
        public let sealed: [UInt8]
        /// When it was created or last rotated.
        public let setAt: Timestamp

        /// Takes a key that was encrypted already.
        public init(sealed: [UInt8], setAt: Timestamp) {
            self.sealed = sealed
            self.setAt = setAt
        }
    }

    /// Whether the identity is there; a deleted one stays on record for the audit trail alone.
    public var isLiving: Bool { deletedAt == nil }

    /// Makes the record again from what a store kept; the fields are taken as they are.
    public init(
        restoring id: IdentityID, organizationID: OrganizationID, handle: AgentHandle, displayName: String?,
        description: String?, signingKey: SealedSigningKey?, createdAt: Timestamp, updatedAt: Timestamp, deletedAt: Timestamp?
    ) {
        self.id = id
        self.organizationID = organizationID
        self.handle = handle
        self.displayName = displayName
        self.description = description
        self.signingKey = signingKey
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.deletedAt = deletedAt
    }
}

// MARK: - Creating

extension Identity {
    /// Makes a new identity; without a display name it is shown by its handle.
    public static func create(
        id: IdentityID, organizationID: OrganizationID, handle: AgentHandle, displayName: String? = nil,
        description: String? = nil, at now: Timestamp
    ) throws(IdentityFieldError) -> Identity {
        try check(displayName: displayName)
        try check(description: description)
        return Identity(
            restoring: id, organizationID: organizationID, handle: handle, displayName: displayName ?? handle.text,
            description: description, signingKey: nil, createdAt: now, updatedAt: now, deletedAt: nil)
    }

    /// Refuses an empty display name, and one of more than ``displayNameScalarCountMax`` Unicode scalars.
    public static func check(displayName: String?) throws(IdentityFieldError) {
        guard let displayName else { return }
        let count = displayName.unicodeScalars.count
        guard count > 0 else { throw .displayNameEmpty }
        guard count <= displayNameScalarCountMax else { throw .displayNameTooLong(scalarCount: count) }
    }

    /// Refuses a description of more than ``descriptionScalarCountMax`` Unicode scalars.
    public static func check(description: String?) throws(IdentityFieldError) {
        let count = description?.unicodeScalars.count ?? 0
        guard count <= descriptionScalarCountMax else { throw .descriptionTooLong(scalarCount: count) }
    }
}

// MARK: - Changing

extension Identity {
    /// Changes names and description; what is kept stays as it was.
    ///
    /// - Parameter newHandle: The new handle, or nil to keep the old one. Whether it is free is for the caller to know.
    public mutating func update(
        handle newHandle: AgentHandle? = nil, displayName newDisplayName: FieldChange<String> = .keep,
        description newDescription: FieldChange<String> = .keep, at now: Timestamp
    ) throws(IdentityChangeError) -> IdentityUpdateAnswer {
        guard isLiving else { throw .deleted }
        let handle = newHandle ?? handle
        let displayName = newDisplayName.applied(to: displayName)
        let description = newDescription.applied(to: description)
        do throws(IdentityFieldError) {
            try Self.check(displayName: displayName)
            try Self.check(description: description)
        } catch {
            throw .field(error)
        }
        let isRenamed = handle != self.handle
        guard isRenamed || (displayName, description) != (self.displayName, self.description) else { return .unchanged }
        self.handle = handle
        self.displayName = displayName
        self.description = description
        touch(at: now)
        return isRenamed ? .renamed : .changed
    }

    /// Puts a new signing key in place of the one there was; the old one signs nothing any more.
    public mutating func setSigningKey(sealed: [UInt8], at now: Timestamp) throws(IdentityChangeError) -> SigningKeyAnswer {
        guard isLiving else { throw .deleted }
        let isFirst = signingKey == nil
        touch(at: now)
        signingKey = SealedSigningKey(sealed: sealed, setAt: updatedAt)
        return isFirst ? .created : .rotated
    }

    /// Deletes the identity for good: its handle is free, and the key that it signed with is forgotten.
    public mutating func delete(at now: Timestamp) throws(IdentityChangeError) {
        guard isLiving else { throw .deleted }
        touch(at: now)
        deletedAt = updatedAt
        signingKey = nil
    }

    // A clock set back must not make a record look older than its last change.
    private mutating func touch(at now: Timestamp) { updatedAt = max(now, updatedAt) }
}

/// What an update changed; a new handle also renames the tunnel.
public enum IdentityUpdateAnswer: Hashable, Sendable { case renamed, changed, unchanged }

/// Whether a signing key is the identity's first.
public enum SigningKeyAnswer: Hashable, Sendable { case created, rotated }

/// Why an identity cannot be changed.
public enum IdentityChangeError: Error, Hashable, Sendable {
    /// It is gone (404).
    case deleted
    /// A value is out of its bounds (422).
    case field(IdentityFieldError)
}

/// A field's value that no identity may have; the API answers 422.
public enum IdentityFieldError: Error, Hashable, Sendable {
    case displayNameEmpty
    /// More than ``Identity/displayNameScalarCountMax`` Unicode scalars.
    case displayNameTooLong(scalarCount: Int)
    /// More than ``Identity/descriptionScalarCountMax`` Unicode scalars.
    case descriptionTooLong(scalarCount: Int)

    /// What is wrong and what would be right, in one sentence for people.
    public var explanation: String {
        switch self {
        case .displayNameEmpty:
            "The display name is empty; send 1 to \(Identity.displayNameScalarCountMax) characters, or null for none."
        case .displayNameTooLong(let count):
            "The display name has \(count) characters; at most \(Identity.displayNameScalarCountMax) are allowed."
        case .descriptionTooLong(let count):
            "The description has \(count) characters; at most \(Identity.descriptionScalarCountMax) are allowed."
        }
    }
}
