/// What a server says about its listeners at `GET /.well-known/culvert`.
public struct ServiceDescription: Sendable, Hashable, Codable {
    /// The zone that public hosts lie in.
    public var zone: String
    /// Where agents connect and third parties call, or nil when there is no such listener.
    public var httpsPort: Int?
    /// The plain-text listener, or nil.
    public var httpPort: Int?
    /// Where agents connect, `host:port`, when it is not the zone itself.
    public var edge: String?

    private enum CodingKeys: String, CodingKey {
        case zone, edge
        case httpsPort = "https_port"
        case httpPort = "http_port"
    }

    /// A description with every member given.
    public init(zone: String, httpsPort: Int? = nil, httpPort: Int? = nil, edge: String? = nil) {
        self.zone = zone
        self.httpsPort = httpsPort
        self.httpPort = httpPort
        self.edge = edge
    }
}
