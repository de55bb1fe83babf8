extension Permission {
    /// What is asked about.
    public struct Resource: Hashable, Sendable {
        public let organizationID: OrganizationID
        /// The identity that it is or belongs to, if any.
        public let identityID: IdentityID?
        /// The tunnel that it is, if it is one.
        public let tunnelID: TunnelID?

        /// Takes what is known of a resource; what it is not stays nil.
        public init(organizationID: OrganizationID, identityID: IdentityID? = nil, tunnelID: TunnelID? = nil) {
            self.organizationID = organizationID
            self.identityID = identityID
            self.tunnelID = tunnelID
        }

        /// The resource that a tunnel is.
        public init(_ tunnel: Tunnel) {
            self.init(organizationID: tunnel.organizationID, identityID: tunnel.identityID, tunnelID: tunnel.id)
        }
    }
}
