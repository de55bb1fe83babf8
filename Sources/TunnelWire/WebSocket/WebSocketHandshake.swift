/// The opening handshake of RFC 6455 section 4; SHA-1 is the caller's, as the wire has no cryptography.
package enum WebSocketHandshake {
    package static let upgradeProtocol = "websocket"
    /// The only version there is.
    package static let version = "13"

    private static let uuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// Why a third party's offer is refused before anybody is asked.
    package enum OfferError: Error, Hashable, Sendable {
        /// No key, several, or one that is not 16 bytes in base64.
        case malformedKey
        /// Another version than 13: 426 tells which one there is.
        case unsupportedVersion
    }

    /// The client's key of an HTTP/1.1 offer; HTTP/2 has none (RFC 8441 section 5).
    package static func key(of head: HTTPRequestHead) throws(OfferError) -> String? {
        guard head.fields.count(of: .secWebsocketVersion) == 1, head.fields.first(.secWebsocketVersion) == version else {
            throw .unsupportedVersion
        }
        guard head.method != "CONNECT" else { return nil }
        guard head.fields.count(of: .secWebsocketKey) == 1, let key = head.fields.first(.secWebsocketKey),
            Base64.decode(key)?.count == 16
        else { throw .malformedKey }
        return key
    }

    /// What `Sec-WebSocket-Accept` is the base64 of, once hashed with SHA-1.
    package static func acceptInput(for key: String) -> String { key + uuid }

    /// Whether the subprotocol that was chosen is one of those offered, or none was chosen.
    package static func isOffered(_ chosen: String?, in offer: HTTPFields) -> Bool {
        guard let chosen else { return true }
        var isOffered = false
        offer.forEach { known, _, value in
            guard known == .secWebsocketProtocol else { return }
            value.forEachListElement { element in
                if String(decodingLossily: element) == chosen { isOffered = true }
            }
        }
        return isOffered
    }
}
