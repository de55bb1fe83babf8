internal import HTTPTransport
internal import LinuxIO
internal import TunnelDomain
package import TunnelWire

/// The figures of one loop, where everything on it can reach them.
final class EdgeTally {
    var figures = EdgeFigures()
}

extension Edge {
    /// Writes what all loops have counted onto the page, and what the directory knows.
    package func addMetrics(to page: inout MetricPage) async {
        var sum = EdgeFigures()
        for door in directory.doors {
            if let figures = try? await door.run({ EdgeFront.resident(of: $0)?.figures }) { sum += figures }
        }
        sum.add(to: &page)
        page.add(.agents, count: directory.connectedAgentCount)
        for (status, count) in directory.counts { page.add(.tunnels, status.rawValue, count: count) }
    }
}

extension EdgeFront {
    /// What this loop has counted, and what is open on it now.
    fileprivate var figures: EdgeFigures {
        var figures = tally.figures
        for connection in openConnections { figures.connections[kind(of: connection).rawValue] += 1 }
        for site in openSites {
            figures.queuedCount += site.queuedCount
            figures.parkedCount += site.parkedCount
            figures.webSocketCount += site.webSocketCount
        }
        figures.receivedByteCount = loop.receivedByteCount
        figures.sentByteCount = loop.sentByteCount
        return figures
    }

    private func kind(of connection: HTTPConnection) -> EdgeFigures.ConnectionKind {
        guard let edge = connection.context as? EdgeConnection else { return .undecided }
        if edge.site != nil { return .thirdParty }
        return switch edge.role {
        case .undecided: .undecided
        case .api: .api
        case .agent: .agent
        }
    }
}
