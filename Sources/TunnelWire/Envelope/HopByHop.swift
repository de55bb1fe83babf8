/// Which fields belong to one connection and never travel through the tunnel (RFC 9110 §7.6.1; data plane §3 and §4).
package enum HopByHop {
    /// Whether a third party's request field may reach the agent, `Connection` aside.
    ///
    /// Besides hop-by-hop fields those are held back that would let a third party speak in the tunnel's name, and those that
    /// the edge answers itself. Spellings with underscores count as well: many an application cannot tell them apart.
    package static func travelsToAgent(_ known: KnownField, _ name: Span<UInt8>) -> Bool {
        switch known {
        case .connection, .keepAlive, .proxyAuthenticate, .proxyAuthorization, .proxyConnection, .te, .trailer,
            .transferEncoding, .upgrade:
            false
        case .expect, .host, .secWebsocketExtensions, .secWebsocketKey, .secWebsocketVersion:
            false
        case .forwarded, .inkboxBodyUri, .inkboxForwardedFor, .inkboxMethod, .inkboxPath, .inkboxReason, .inkboxRequestId,
            .inkboxRouteKind, .inkboxSniHost, .inkboxStatus, .inkboxTcpId, .inkboxWsId, .xForwardedFor, .xForwardedHost,
            .xForwardedProto, .xRealIp:
            false
        case .accept, .acceptEncoding, .authorization, .cacheControl, .contentEncoding, .contentLength, .contentType, .cookie,
            .date, .etag, .idempotencyKey, .lastEventId, .link, .location, .origin, .retryAfter, .secWebsocketAccept,
            .secWebsocketProtocol, .server, .setCookie, .userAgent, .vary, .via, .wwwAuthenticate, .xApiKey,
            .xCulvertFeatures, .xOwnerToken, .xPoolSize, .xPoolSlot, .xRequestId, .xTunnelId, .xTunnelSecret:
            true
        case .other:
            !isForgery(name)
        }
    }

    /// Whether an origin's response field may reach the third party, `Connection` aside.
    package static func travelsToThirdParty(_ known: KnownField, _ name: Span<UInt8>) -> Bool {
        switch known {
        case .connection, .contentLength, .host, .keepAlive, .proxyAuthenticate, .proxyAuthorization, .proxyConnection, .te,
            .trailer,
            .transferEncoding, .upgrade:
            false
        case .inkboxBodyUri, .inkboxForwardedFor, .inkboxMethod, .inkboxPath, .inkboxReason, .inkboxRequestId,
            .inkboxRouteKind, .inkboxSniHost, .inkboxStatus, .inkboxTcpId, .inkboxWsId, .secWebsocketAccept,
            .secWebsocketExtensions, .secWebsocketKey, .secWebsocketVersion:
            false
        case .accept, .acceptEncoding, .authorization, .cacheControl, .contentEncoding, .contentType, .cookie, .date, .etag,
            .expect, .forwarded, .idempotencyKey, .lastEventId, .link, .location, .origin, .retryAfter,
            .secWebsocketProtocol, .server, .setCookie, .userAgent, .vary, .via, .wwwAuthenticate, .xApiKey,
            .xCulvertFeatures, .xForwardedFor, .xForwardedHost, .xForwardedProto, .xOwnerToken, .xPoolSize, .xPoolSlot,
            .xRealIp, .xRequestId, .xTunnelId, .xTunnelSecret:
            true
        case .other:
            !name.hasPrefix(foldingUnderscores: "inkbox-")
        }
    }

    private static func isForgery(_ name: Span<UInt8>) -> Bool {
        guard let first = name.isEmpty ? nil : name[0] else { return true }
        guard first == UInt8(ascii: "x") || first == UInt8(ascii: "i") else { return false }
        return name.hasPrefix(foldingUnderscores: "x-forwarded-") || name.hasPrefix(foldingUnderscores: "inkbox-")
            || name.count == 9 && name.hasPrefix(foldingUnderscores: "x-real-ip")
    }
}

extension Span<UInt8> {
    package func hasPrefix(_ prefix: StaticString) -> Bool {
        count >= prefix.utf8CodeUnitCount && extracting(0..<prefix.utf8CodeUnitCount).equals(prefix)
    }

    func hasPrefix(foldingUnderscores prefix: StaticString) -> Bool {
        guard count >= prefix.utf8CodeUnitCount else { return false }
        for index in 0..<prefix.utf8CodeUnitCount {
            let byte = self[index] == UInt8(ascii: "_") ? UInt8(ascii: "-") : self[index]
            if byte != prefix.utf8Start[index] { return false }
        }
        return true
    }
}
