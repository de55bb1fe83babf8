package import TunnelWire

/// What the rest of the service has to tell operators.
package protocol MetricsSource: Sendable {
    func add(to page: inout MetricPage) async
}

/// Who may read the metrics.
package struct MetricsAccess: Sendable {
    private let networks: [IPRange]

    /// This machine itself, and whoever else the operator names.
    package init(_ networks: [IPRange] = []) {
        self.networks = ["127.0.0.0/8", "::1/128"].compactMap { IPRange($0) } + networks
    }

    /// A proxy's word for whom it speaks is not enough here, and one that nobody has declared would make every stranger local.
    func allows(_ address: String, _ fields: HTTPFields) -> Bool {
        guard !fields.contains(.xForwardedFor), !fields.contains(.forwarded) else { return false }
        return networks.contains { $0.contains(address) }
    }
}
