/// One message of a WebSocket.
public enum AgentWebSocketMessage: Sendable, Hashable {
    case text(String)
    case binary([UInt8])
}

/// How a WebSocket ends: a number of RFC 6455 section 7.4 and a reason of at most 123 bytes in UTF-8.
public struct AgentWebSocketClose: Sendable, Hashable, Error {
    /// 1000 to 4999, but 1004 to 1006, 1015 and 1016 to 2999; another one becomes 1011 for the third party.
    public var code: Int
    public var reason: String

    /// A close as it is; nothing is checked here.
    public init(code: Int = 1000, reason: String = "") {
        self.code = code
        self.reason = reason
    }
}

/// A third party's WebSocket in the hands of a handler closure.
///
/// The WebSocket ends when the closure returns, with 1000 unless ``close(code:reason:)`` said otherwise, and with 1011 when it
/// throws anything but an ``AgentWebSocketClose``.
public struct AgentWebSocket: Sendable {
    let pipe: WebSocketPipe

    /// The third party's messages as they come; reading is what makes more come. Ends when the third party has closed, and
    /// throws ``AgentBodyError/thirdPartyGone`` when it or the connection to the server was lost. It can be read once.
    public var messages: AgentWebSocketMessages { AgentWebSocketMessages(pipe: pipe) }

    /// What the third party closed with; nil until it has.
    public var closeByThirdParty: AgentWebSocketClose? { pipe.closeByThirdParty }

    /// Sends a message on its way; returns at once while the third party keeps up, and waits for it when it does not.
    ///
    /// - Throws: ``AgentBodyError/thirdPartyGone`` when nobody will read it.
    public func send(_ message: AgentWebSocketMessage) async throws { try await pipe.send(message) }

    /// Sends a text message.
    public func send(_ text: String) async throws { try await send(.text(text)) }

    /// Says goodbye; what is sent afterwards is dropped.
    public func close(code: Int = 1000, reason: String = "") { pipe.close(AgentWebSocketClose(code: code, reason: reason)) }
}

/// The messages of a WebSocket as a sequence.
public struct AgentWebSocketMessages: AsyncSequence, Sendable {
    /// One message.
    public typealias Element = AgentWebSocketMessage
    let pipe: WebSocketPipe

    /// Reads one message after the other.
    public struct Iterator: AsyncIteratorProtocol {
        let pipe: WebSocketPipe

        /// The next message; nil when the third party has closed.
        public func next() async throws -> AgentWebSocketMessage? { try await pipe.next() }
    }

    /// The one reader of these messages.
    public func makeAsyncIterator() -> Iterator { Iterator(pipe: pipe) }
}
