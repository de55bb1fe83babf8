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
        let candidate = KnownField.candidate(for: name)
        self = candidate.hasName(name) ? candidate : .other
    }

    private func hasName(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let own = self.name, own.utf8CodeUnitCount == name.count else { return false }
        var index = 0
        while index < name.count {
            guard own.utf8Start[index] == name[index] else { return false }
            index += 1
        }
        return true
    }

    /// The only known name that this one can be, by its length and one byte that tells names of that length apart.
    private static func candidate(for name: UnsafeBufferPointer<UInt8>) -> KnownField {
        switch name.count {
        case 2: .te
        case 3: .via
        case 4:
            switch name[0] {
            case UInt8(ascii: "d"): .date
            case UInt8(ascii: "e"): .etag
            case UInt8(ascii: "h"): .host
            case UInt8(ascii: "l"): .link
            case UInt8(ascii: "v"): .vary
            default: .other
            }
        case 6:
            switch name[0] {
            case UInt8(ascii: "a"): .accept
            case UInt8(ascii: "c"): .cookie
            case UInt8(ascii: "e"): .expect
            case UInt8(ascii: "o"): .origin
            case UInt8(ascii: "s"): .server
            default: .other
            }
        case 7:
            switch name[0] {
            case UInt8(ascii: "t"): .trailer
            case UInt8(ascii: "u"): .upgrade
            default: .other
            }
        case 8: .location
        case 9:
            switch name[3] {
            case UInt8(ascii: "e"): .xRealIp
            case UInt8(ascii: "p"): .xApiKey
            case UInt8(ascii: "w"): .forwarded
            default: .other
            }
        case 10:
            switch name[0] {
            case UInt8(ascii: "c"): .connection
            case UInt8(ascii: "k"): .keepAlive
            case UInt8(ascii: "s"): .setCookie
            case UInt8(ascii: "u"): .userAgent
            default: .other
            }
        case 11:
            switch name[8] {
            case UInt8(ascii: "-"): .xTunnelId
            case UInt8(ascii: "a"): .inkboxPath
            case UInt8(ascii: "i"): .xPoolSize
            case UInt8(ascii: "l"): .xPoolSlot
            case UInt8(ascii: "t"): .retryAfter
            default: .other
            }
        case 12:
            switch name[0] {
            case UInt8(ascii: "c"): .contentType
            case UInt8(ascii: "i"): .inkboxWsId
            case UInt8(ascii: "x"): .xRequestId
            default: .other
            }
        case 13:
            switch name[7] {
            case UInt8(ascii: "-"): .xOwnerToken
            case UInt8(ascii: "e"): .lastEventId
            case UInt8(ascii: "m"): .inkboxMethod
            case UInt8(ascii: "o"): .cacheControl
            case UInt8(ascii: "r"): .inkboxReason
            case UInt8(ascii: "s"): .inkboxStatus
            case UInt8(ascii: "t"): .inkboxTcpId
            case UInt8(ascii: "z"): .authorization
            default: .other
            }
        case 14: .contentLength
        case 15:
            switch name[12] {
            case UInt8(ascii: "f"): .xForwardedFor
            case UInt8(ascii: "i"): .acceptEncoding
            case UInt8(ascii: "k"): .idempotencyKey
            case UInt8(ascii: "o"): .inkboxSniHost
            case UInt8(ascii: "r"): .xTunnelSecret
            case UInt8(ascii: "u"): .inkboxBodyUri
            default: .other
            }
        case 16:
            switch name[0] {
            case UInt8(ascii: "c"): .contentEncoding
            case UInt8(ascii: "p"): .proxyConnection
            case UInt8(ascii: "w"): .wwwAuthenticate
            case UInt8(ascii: "x"): .xForwardedHost
            default: .other
            }
        case 17:
            switch name[10] {
            case UInt8(ascii: "d"): .xForwardedProto
            case UInt8(ascii: "k"): .secWebsocketKey
            case UInt8(ascii: "n"): .transferEncoding
            case UInt8(ascii: "t"): .inkboxRouteKind
            case UInt8(ascii: "u"): .inkboxRequestId
            default: .other
            }
        case 18:
            switch name[0] {
            case UInt8(ascii: "p"): .proxyAuthenticate
            case UInt8(ascii: "x"): .xCulvertFeatures
            default: .other
            }
        case 19: .proxyAuthorization
        case 20:
            switch name[0] {
            case UInt8(ascii: "i"): .inkboxForwardedFor
            case UInt8(ascii: "s"): .secWebsocketAccept
            default: .other
            }
        case 21: .secWebsocketVersion
        case 22: .secWebsocketProtocol
        case 24: .secWebsocketExtensions
        default: .other
        }
    }
}
