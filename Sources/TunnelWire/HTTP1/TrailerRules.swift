extension KnownField {
    enum TrailerVerdict { case keep, drop, refuse }

    /// RFC 9110 §6.5.1: no trailer may change framing, routing, modifiers, authentication, or how content is read.
    ///
    /// Framing and routing are refused, because who sends them there wants two readers to disagree. What merely has no effect
    /// in a trailer is dropped. The list of what may stay is open: names that no rule looks at travel on.
    var trailerVerdict: TrailerVerdict {
        switch self {
        case .contentLength, .host, .transferEncoding:
            .refuse
        case .authorization, .cacheControl, .connection, .contentEncoding, .contentType, .cookie, .date, .expect, .forwarded,
            .idempotencyKey, .inkboxBodyUri, .inkboxForwardedFor, .inkboxMethod, .inkboxPath, .inkboxReason,
            .inkboxRequestId, .inkboxRouteKind, .inkboxSniHost, .inkboxStatus, .inkboxTcpId, .inkboxWsId, .keepAlive,
            .location, .origin, .proxyAuthenticate, .proxyAuthorization, .proxyConnection, .retryAfter,
            .secWebsocketAccept, .secWebsocketExtensions, .secWebsocketKey, .secWebsocketProtocol, .secWebsocketVersion,
            .setCookie, .te, .trailer, .upgrade, .vary, .via, .wwwAuthenticate, .xApiKey, .xCulvertFeatures,
            .xForwardedFor, .xForwardedHost, .xForwardedProto, .xOwnerToken, .xPoolSize, .xPoolSlot, .xRealIp,
            .xTunnelId, .xTunnelSecret, .accept, .acceptEncoding, .lastEventId, .userAgent:
            .drop
        case .other, .etag, .link, .server, .xRequestId:
            .keep
        }
    }
}
