/// The field names that some rule of ours looks at, so that a rule compares one byte instead of a string.
package enum KnownField: UInt8, Sendable, CaseIterable {
    /// Any name that no rule looks at.
    case other
    case accept
    case acceptEncoding
    case authorization
    case cacheControl
    case connection
    case contentEncoding
    case contentLength
    case contentType
    case cookie
    case date
    case etag
    case expect
    case forwarded
    case host
    case idempotencyKey
    case inkboxBodyUri
    case inkboxForwardedFor
    case inkboxMethod
    case inkboxPath
    case inkboxReason
    case inkboxRequestId
    case inkboxRouteKind
    case inkboxSniHost
    case inkboxStatus
    case inkboxTcpId
    case inkboxWsId
    case keepAlive
    case lastEventId
    case link
    case location
    case origin
    case proxyAuthenticate
    case proxyAuthorization
    case proxyConnection
    case retryAfter
    case secWebsocketAccept
    case secWebsocketExtensions
    case secWebsocketKey
    case secWebsocketProtocol
    case secWebsocketVersion
    case server
    case setCookie
    case te
    case trailer
    case transferEncoding
    case upgrade
    case userAgent
    case vary
    case via
    case wwwAuthenticate
    case xApiKey
    case xCulvertFeatures
    case xForwardedFor
    case xForwardedHost
    case xForwardedProto
    case xOwnerToken
    case xPoolSize
    case xPoolSlot
    case xRealIp
    case xRequestId
    case xTunnelId
    case xTunnelSecret

    /// The name as it stands on the wire, in lower case; nil for `other`.
    package var name: StaticString? {
        switch self {
        case .other: nil
        case .accept: "accept"
        case .acceptEncoding: "accept-encoding"
        case .authorization: "authorization"
        case .cacheControl: "cache-control"
        case .connection: "connection"
        case .contentEncoding: "content-encoding"
        case .contentLength: "content-length"
        case .contentType: "content-type"
        case .cookie: "cookie"
        case .date: "date"
        case .etag: "etag"
        case .expect: "expect"
        case .forwarded: "forwarded"
        case .host: "host"
        case .idempotencyKey: "idempotency-key"
        case .inkboxBodyUri: "inkbox-body-uri"
        case .inkboxForwardedFor: "inkbox-forwarded-for"
        case .inkboxMethod: "inkbox-method"
        case .inkboxPath: "inkbox-path"
        case .inkboxReason: "inkbox-reason"
        case .inkboxRequestId: "inkbox-request-id"
        case .inkboxRouteKind: "inkbox-route-kind"
        case .inkboxSniHost: "inkbox-sni-host"
        case .inkboxStatus: "inkbox-status"
        case .inkboxTcpId: "inkbox-tcp-id"
        case .inkboxWsId: "inkbox-ws-id"
        case .keepAlive: "keep-alive"
        case .lastEventId: "last-event-id"
        case .link: "link"
        case .location: "location"
        case .origin: "origin"
        case .proxyAuthenticate: "proxy-authenticate"
        case .proxyAuthorization: "proxy-authorization"
        case .proxyConnection: "proxy-connection"
        case .retryAfter: "retry-after"
        case .secWebsocketAccept: "sec-websocket-accept"
        case .secWebsocketExtensions: "sec-websocket-extensions"
        case .secWebsocketKey: "sec-websocket-key"
        case .secWebsocketProtocol: "sec-websocket-protocol"
        case .secWebsocketVersion: "sec-websocket-version"
        case .server: "server"
        case .setCookie: "set-cookie"
        case .te: "te"
        case .trailer: "trailer"
        case .transferEncoding: "transfer-encoding"
        case .upgrade: "upgrade"
        case .userAgent: "user-agent"
        case .vary: "vary"
        case .via: "via"
        case .wwwAuthenticate: "www-authenticate"
        case .xApiKey: "x-api-key"
        case .xCulvertFeatures: "x-culvert-features"
        case .xForwardedFor: "x-forwarded-for"
        case .xForwardedHost: "x-forwarded-host"
        case .xForwardedProto: "x-forwarded-proto"
        case .xOwnerToken: "x-owner-token"
        case .xPoolSize: "x-pool-size"
        case .xPoolSlot: "x-pool-slot"
        case .xRealIp: "x-real-ip"
        case .xRequestId: "x-request-id"
        case .xTunnelId: "x-tunnel-id"
        case .xTunnelSecret: "x-tunnel-secret"
        }
    }

    /// Recognises a name that is already in lower case.
    package init(lowercased name: UnsafeBufferPointer<UInt8>) {
        self = KnownField.candidates(byteCount: name.count).first { $0.matches(name) } ?? .other
    }

    private func matches(_ candidate: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let name, name.utf8CodeUnitCount == candidate.count else { return false }
        return name.withUTF8Buffer { $0.elementsEqual(candidate) }
    }

    /// The known names of one length: at most a handful.
    private static func candidates(byteCount: Int) -> [KnownField] {
        byLength.indices.contains(byteCount) ? byLength[byteCount] : []
    }

    private static let byLength: [[KnownField]] = {
        let longest = allCases.compactMap { $0.name?.utf8CodeUnitCount }.max() ?? 0
        var table = [[KnownField]](repeating: [], count: longest + 1)
        for field in allCases {
            if let name = field.name { table[name.utf8CodeUnitCount].append(field) }
        }
        return table
    }()
}
