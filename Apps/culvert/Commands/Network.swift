internal import TunnelClient
internal import TunnelProfile

/// How this program reaches a server.
enum Network {
    static func transport(caFile: String?) throws(Complaint) -> NetworkTransport {
        try complaining(Profile.transport(caFile: caFile))
    }
}
