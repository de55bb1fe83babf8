internal import TunnelClient
internal import TunnelDomain
internal import TunnelWire

/// What a resource's URI names: `tunnel://NAME`, `tunnel://NAME/requests`, `tunnel://NAME/requests/ID`.
enum ResourceURI: Hashable {
    case tunnel(String)
    case requests(String)
    case request(String, Int)

    /// Nil for every other text.
    init?(_ text: String) {
        guard text.hasPrefix("tunnel://") else { return nil }
        let parts = text.dropFirst("tunnel://".count).split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let name = parts.first, (try? TunnelName(validating: name)) != nil else { return nil }
        switch (parts.count, parts.dropFirst().first) {
        case (1, nil): self = .tunnel(name)
        case (2, "requests"): self = .requests(name)
        case (3, "requests"):
            guard let sequence = Int(parts[2]), String(sequence) == parts[2], sequence > 0 else { return nil }
            self = .request(name, sequence)
        default: return nil
        }
    }

    var text: String {
        switch self {
        case .tunnel(let name): "tunnel://\(name)"
        case .requests(let name): "tunnel://\(name)/requests"
        case .request(let name, let sequence): "tunnel://\(name)/requests/\(sequence)"
        }
    }
}

/// Tunnels and captured requests as resources.
struct Resources: Sendable {
    let services: Services

    let templates = JSON.members([
        "resourceTemplates": .array([
            template("tunnel://{name}", "tunnel", "A tunnel"),
            template("tunnel://{name}/requests", "requests", "The requests that were captured for a tunnel"),
            template("tunnel://{name}/requests/{id}", "request", "One captured request and its answer"),
        ])
    ])

    private static func template(_ template: String, _ name: String, _ description: String) -> JSON {
        .members([
            "uriTemplate": .string(template), "name": .string(name), "description": .string(description),
            "mimeType": .string("application/json"),
        ])
    }

    /// Every tunnel, and the captured requests of those that this process serves.
    func list() async throws -> JSON {
        let served = Set(services.fleet.documents.compactMap { $0["tunnel"]?.stringValue })
        let tunnels = try await services.server.client.tunnels().map(\.tunnelName)
        let resources = tunnels.flatMap { name in
            let tunnel = resource(.tunnel(name), name, "the tunnel \(name)")
            guard served.contains(name) else { return [tunnel] }
            return [tunnel, resource(.requests(name), "\(name) requests", "what third parties have sent to \(name)")]
        }
        return .members(["resources": .array(resources)])
    }

    private func resource(_ uri: ResourceURI, _ name: String, _ description: String) -> JSON {
        .members([
            "uri": .string(uri.text), "name": .string(name), "description": .string(description),
            "mimeType": .string("application/json"),
        ])
    }

    /// The contents; nil when there is no such resource.
    func read(_ text: String) async throws -> JSON? {
        guard let uri = ResourceURI(text), let value = try await value(of: uri) else { return nil }
        let content = JSON.members([
            "uri": .string(text), "mimeType": .string("application/json"), "text": .string(value.text),
        ])
        return .members(["contents": .array([content])])
    }

    private func value(of uri: ResourceURI) async throws -> JSON? {
        let document = TrafficDocument(bodyCharacterCountMax: services.limits[.shownBodyCharacters])
        switch uri {
        case .tunnel(let name): return try await services.server.client.tunnel(named: name).map { try JSON.document($0) }
        case .requests(let name):
            var filter = RequestFilter(nil)
            filter.tunnel = name
            let requests = services.traffic.requests(filter, countMax: 200)
            guard !requests.isEmpty || services.fleet.documents.contains(where: { $0["tunnel"]?.stringValue == name }) else {
                return nil
            }
            return .members([
                "trust": .string("untrusted"), "notice": .string(ToolBox.notice),
                "requests": .array(requests.map(document.summary)),
            ])
        case .request(let name, let sequence):
            guard let request = services.traffic.request(sequence), request.tunnel == name else { return nil }
            return document.whole(request).adding(["notice": .string(ToolBox.notice)])
        }
    }
}
