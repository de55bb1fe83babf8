internal import CNghttp2

// What the peer's windows have room for. Most senders need not know: what is written waits for its window by itself. Messages
// that the peer credits only as wholes must not be begun before all of them fits.
extension HTTP2Connection {
    /// Whether one more exchange would begin at once, and could send: the peer takes so many at a time, and together they
    /// have not used its window up.
    package var hasRoomForOneMore: Bool {
        guard let session, mayBegin else { return false }
        let countMax = nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
        return openStreamCount < Int(countMax) && nghttp2_session_get_remote_window_size(session) > 0
    }

    /// The bytes that would leave at once if they were written to the stream now.
    package func room(for stream: HTTP2Stream) -> Int {
        guard let session, !stream.isClosed else { return 0 }
        let ownRoom = Int(nghttp2_session_get_stream_remote_window_size(session, stream.id)) - stream.outgoing.count
        // What other streams are about to send takes its part of the connection's window first.
        let waitingByteCount = streams.values.reduce(0) { $0 + $1.outgoing.count }
        return max(0, min(ownRoom, Int(nghttp2_session_get_remote_window_size(session)) - waitingByteCount))
    }

    /// Has the stream's receiver told, by `streamHasRoom`, whenever there may be more room than before; asked anew each time.
    package func tellWhenRoom(for stream: HTTP2Stream) {
        guard !stream.awaitsRoom, !stream.isClosed else { return }
        stream.awaitsRoom = true
        waitingForRoom.append(stream)
    }

    /// Called after windows have grown or bytes have left.
    func tellOfRoom() {
        guard !waitingForRoom.isEmpty else { return }
        let waiting = waitingForRoom
        waitingForRoom = []
        for stream in waiting { stream.awaitsRoom = false }
        for stream in waiting where !stream.isClosed { stream.receiver?.streamHasRoom(on: stream) }
    }
}
