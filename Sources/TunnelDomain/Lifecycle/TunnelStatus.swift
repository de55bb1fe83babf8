/// Who ends the third party's TLS: the service's edge, or the agent. Fixed when a tunnel is created.
public enum TLSMode: String, Hashable, Sendable, CaseIterable {
    /// The edge ends TLS with a certificate of the service; the tunnel is active from the start.
    case edge
    /// The edge carries TLS unread; the agent ends it with a certificate for its own key.
    case passthrough
}

/// A tunnel's state as the API shows it (seed documents and control plane, section 3).
public enum TunnelStatus: String, Hashable, Sendable, CaseIterable {
    /// A passthrough tunnel without a certificate; not reachable.
    case awaitingCert = "awaiting_cert"
    case active
    /// Deleted, but to be restored until its deadline; not reachable, its name still taken.
    case deletePending = "delete_pending"
    /// Gone for good; its name is free.
    case deleted
}
