import TestSupport
import Testing
import TunnelDomain

struct IdentityTests {
    static let start = Timestamp(secondsSinceEpoch: 1_776_774_600)

    static func identity(_ handle: String = "my-agent", displayName: String? = nil, description: String? = nil) throws
        -> Identity
    {
        try Identity.create(
            id: IdentityID(UUIDValue(high: 1, low: 2)), organizationID: try #require(OrganizationID("org_1")),
            handle: try AgentHandle(validating: handle), displayName: displayName, description: description, at: start)
    }

    @Test func `without a display name an identity is shown by its handle`() throws {
        #expect(try Self.identity("@My-Agent").displayName == "my-agent")
        #expect(try Self.identity(displayName: "Some Agent").displayName == "Some Agent")
        #expect(try Self.identity().isLiving)
    }

    @Test func `bounds are counted in Unicode scalars, and the last one counts`() throws {
        let name = String(repeating: "é", count: Identity.displayNameScalarCountMax)
        let text = String(repeating: "🚇", count: Identity.descriptionScalarCountMax)
        var identity = try Self.identity(displayName: name, description: text)
        #expect(throws: IdentityFieldError.displayNameTooLong(scalarCount: 256)) {
            try Self.identity(displayName: name + "x")
        }
        #expect(throws: IdentityFieldError.descriptionTooLong(scalarCount: 1001)) { try Self.identity(description: text + "x") }
        #expect(throws: IdentityFieldError.displayNameEmpty) { try Self.identity(displayName: "") }
        let before = identity
        #expect(throws: IdentityChangeError.field(.displayNameEmpty)) {
            try identity.update(displayName: .set(""), at: Self.start)
        }
        #expect(throws: IdentityChangeError.field(.descriptionTooLong(scalarCount: 1001))) {
            try identity.update(displayName: .clear, description: .set(text + "x"), at: Self.start)
        }
        #expect(identity == before)
    }

    @Test func `an update says whether it renamed, changed or did nothing`() throws {
        var identity = try Self.identity(displayName: "A", description: "B")
        let later = Self.start + .seconds(1)
        #expect(try identity.update(at: later) == .unchanged)
        #expect(try identity.update(handle: identity.handle, displayName: .set("A"), at: later) == .unchanged)
        #expect(identity.updatedAt == Self.start)
        #expect(try identity.update(displayName: .clear, description: .clear, at: later) == .changed)
        #expect((identity.displayName, identity.description) == (nil, nil))
        #expect(try identity.update(handle: AgentHandle(validating: "other"), displayName: .set("C"), at: later) == .renamed)
        #expect((identity.handle.text, identity.displayName) == ("other", "C"))
        #expect(identity.updatedAt == later)
    }
}

/// Everything that can happen to an identity.
enum IdentityEvent: CaseIterable, Hashable, Sendable {
    case update, rename, setSigningKey, delete

    func apply(to identity: inout Identity, at now: Timestamp) throws -> Bool {
        switch self {
        case .update:
            let text = identity.description == "one" ? "other" : "one"
            return try identity.update(description: .set(text), at: now) == .changed
        case .rename:
            let handle = try AgentHandle(validating: identity.handle.text == "renamed" ? "again" : "renamed")
            return try identity.update(handle: handle, at: now) == .renamed
        case .setSigningKey:
            let isFirst = identity.signingKey == nil
            return try identity.setSigningKey(sealed: [7], at: now) == (isFirst ? .created : .rotated)
        case .delete:
            try identity.delete(at: now)
            return true
        }
    }
}

struct IdentityTransitionsTests {
    enum Situation: CaseIterable, Sendable {
        case fresh, signing, deleted

        var route: [IdentityEvent] {
            switch self {
            case .fresh: []
            case .signing: [.setSigningKey]
            case .deleted: [.setSigningKey, .delete]
            }
        }
    }

    @Test(arguments: Situation.allCases, IdentityEvent.allCases)
    func `a living identity takes every event, a deleted one none`(situation: Situation, event: IdentityEvent) throws {
        var identity = try IdentityTests.identity()
        for step in situation.route { _ = try step.apply(to: &identity, at: IdentityTests.start) }
        let before = identity
        let now = IdentityTests.start + .seconds(5)
        switch situation {
        case .fresh, .signing:
            #expect(try event.apply(to: &identity, at: now))
            #expect(identity != before)
            #expect(identity.isLiving == (event != .delete))
        case .deleted:
            #expect(throws: IdentityChangeError.deleted) { try event.apply(to: &identity, at: now) }
            #expect(identity == before)
        }
    }

    @Test func `whatever happens, times never go back and a deleted identity keeps no signing key`() throws {
        try checkProperty { sample in
            var identity = try IdentityTests.identity()
            var now = IdentityTests.start
            for _ in 0..<sample.int(in: 0...20) {
                // The clock may be set back.
                now = now + .seconds(sample.int64(in: -50...100))
                let event = sample.element(of: IdentityEvent.allCases)
                sample.note("\(now) \(event)")
                let before = identity
                do {
                    _ = try event.apply(to: &identity, at: now)
                    try sample.check(before.isLiving, "a deleted identity changed")
                } catch IdentityChangeError.deleted {
                    try sample.check(identity == before && !before.isLiving, "a living identity refused")
                }
                try sample.check(identity.updatedAt >= before.updatedAt, "changed before it was changed")
                try sample.check(identity.createdAt <= identity.updatedAt, "changed before it was created")
                try sample.check(identity.isLiving || identity.signingKey == nil, "a deleted identity can sign")
                if let key = identity.signingKey {
                    try sample.check(key.setAt <= identity.updatedAt, "the key is newer than the record")
                }
                let restored = Identity(
                    restoring: identity.id, organizationID: identity.organizationID, handle: identity.handle,
                    displayName: identity.displayName, description: identity.description, signingKey: identity.signingKey,
                    createdAt: identity.createdAt, updatedAt: identity.updatedAt, deletedAt: identity.deletedAt)
                try sample.check(restored == identity, "the record differs after it was stored")
            }
        }
    }
}
