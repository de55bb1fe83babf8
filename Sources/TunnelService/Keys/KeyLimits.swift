internal import TunnelDomain

/// The operator's bounds of what a key is narrowed to; both are looked through at every request with the key.
package struct KeyLimits: Sendable, Hashable {
    /// The most scopes of a key.
    package var scopesMax: Int
    /// The most ranges of addresses of a key.
    package var rangesMax: Int

    package init(
        scopesMax: Int = APIKeyFields.scopeCountMaxDefault, rangesMax: Int = APIKeyFields.rangeCountMaxDefault
    ) {
        self.scopesMax = scopesMax
        self.rangesMax = rangesMax
    }
}

extension StoreReading {
    /// What the names of scopes mean now: tunnels are remembered by their ids.
    ///
    /// - Parameter identityID: The identity whose key it is to be, or nil for a key of the whole organization.
    func scopes(
        named names: [KeyScopeName], of organizationID: OrganizationID, _ identityID: IdentityID?, at now: Timestamp
    ) throws -> KeyScopes {
        var words: Set<KeyScope> = []
        var tunnels: Set<TunnelID> = []
        for name in names {
            switch name {
            case .word(let word): words.insert(word)
            case .connect(let name): tunnels.insert(try tunnelToConnect(name, organizationID, identityID, at: now))
            }
        }
        if identityID != nil {
            do throws(APIKeyFieldError) {
                try APIKeyFields.check(identityScopes: words)
            } catch {
                throw Refusal.keyField(error)
            }
        }
        return KeyScopes(words: words, tunnels: tunnels)
    }

    private func tunnelToConnect(
        _ name: TunnelName, _ organizationID: OrganizationID, _ identityID: IdentityID?, at now: Timestamp
    ) throws -> TunnelID {
        guard let tunnel = try tunnel(named: name), tunnel.organizationID == organizationID, tunnel.holdsName(at: now) else {
            throw Refusal.keyField(.noTunnelToConnect(name))
        }
        guard identityID == nil || tunnel.identityID == identityID else {
            throw Refusal.keyField(.notTheIdentitysTunnel(name))
        }
        return tunnel.id
    }
}

extension KeyBounds {
    /// What the audit trail remembers of a narrowed key; nothing of one that is not.
    var auditDetails: [EventDraft.Member] {
        [
            scopes.map { EventDraft.Member("scopes", $0.text) },
            ranges.isEmpty ? nil : EventDraft.Member("allowed_ip_ranges", ranges.map(\.text).joined(separator: " ")),
        ].compactMap(\.self)
    }
}
