internal import Synchronization

/// Where a server finds the identity of its one host; another may take its place at any time.
///
/// Handshakes that begin afterwards show the new one. Connections that stand keep what they began with.
package final class TLSIdentitySlot: Sendable {
    /// The host that the identity speaks for, in lower case.
    package let host: String
    private let identity: Mutex<TLSIdentity>

    package init(host: String, identity: TLSIdentity) {
        self.host = host
        self.identity = Mutex(identity)
    }

    package var current: TLSIdentity { identity.withLock { $0 } }

    package func replace(with identity: TLSIdentity) { self.identity.withLock { $0 = identity } }
}

extension TLSContext {
    /// A server for the slot's host, and for clients that name none; any other name gets the alert `unrecognized_name`.
    package static func server(
        applicationProtocols: [String], identity slot: TLSIdentitySlot
    ) throws(TLSError) -> TLSContext {
        try server(applicationProtocols: applicationProtocols) { name in
            name == nil || name == slot.host ? slot.current : nil
        }
    }
}
