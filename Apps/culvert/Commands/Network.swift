internal import TunnelClient

/// How this program reaches a server.
enum Network {
    static func transport(caFile: String?) throws(Complaint) -> NetworkTransport {
        do {
            return try NetworkTransport(trust: caFile.map { .authorities(file: $0) } ?? .system)
        } catch {
            throw Complaint(
                "\(error)", advice: caFile == nil ? "" : "--ca-file must name a PEM file with at least one certificate.",
                exitCode: caFile == nil ? .failure : .usage)
        }
    }
}
