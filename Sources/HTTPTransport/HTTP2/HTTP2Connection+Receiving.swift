internal import CNghttp2
internal import TunnelWire

// nghttp2's callbacks. Each is called on the loop, inside of `nghttp2_session_mem_recv` or `_mem_send`.
extension HTTP2Connection {
    func makeSession() -> OpaquePointer? {
        var callbacks: OpaquePointer?
        var option: OpaquePointer?
        guard nghttp2_session_callbacks_new(&callbacks) == 0, nghttp2_option_new(&option) == 0, let callbacks, let option else {
            return nil
        }
        defer {
            nghttp2_session_callbacks_del(callbacks)
            nghttp2_option_del(option)
        }
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, onBeginHeaders)
        nghttp2_session_callbacks_set_on_header_callback(callbacks, onHeader)
        nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, onInvalidHeader)
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, onFrame)
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, onData)
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, onStreamClose)
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, onFrameSent)
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, onFrameNotSent)
        nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, onBeginFrame)
        nghttp2_session_callbacks_set_send_data_callback(callbacks, sendData)
        nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks, frameByteCount)
        nghttp2_option_set_no_auto_window_update(option, 1)
        // `noteResetReceived` counts instead.
        nghttp2_option_set_stream_reset_rate_limit(option, UInt64(UInt32.max), UInt64(UInt32.max))
        nghttp2_option_set_max_continuations(option, settings.continuationsMax)
        nghttp2_option_set_max_settings(option, settings.settingsEntriesMax)
        nghttp2_option_set_max_outbound_ack(option, settings.unreadAnswersMax)
        nghttp2_option_set_no_closed_streams(option, 1)
        nghttp2_option_set_max_send_header_block_length(option, settings.sentHeaderListByteCountMax)
        nghttp2_option_set_peer_max_concurrent_streams(option, 100)
        var session: OpaquePointer?
        let this = Unmanaged.passUnretained(self).toOpaque()
        let result =
            isServer
            ? nghttp2_session_server_new2(&session, callbacks, this, option)
            : nghttp2_session_client_new2(&session, callbacks, this, option)
        return result == 0 ? session : nil
    }

    fileprivate func beginHeaders(_ id: Int32) {
        guard isServer, streams[id] == nil, let session else { return }
        let stream = HTTP2Stream(session: self)
        stream.id = id
        streams[id] = stream
        nghttp2_session_set_stream_user_data(session, id, Unmanaged.passUnretained(stream).toOpaque())
    }

    fileprivate func header(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, _ stream: HTTP2Stream) {
        stream.headerListByteCount += name.count + value.count + 32
        guard stream.headerListByteCount <= settings.headerListByteCountMax, stream.fields.count < settings.headerFieldCountMax
        else { return stream.isHeadTooLarge = true }
        if name.first == UInt8(ascii: ":") {
            pseudoField(name, value, stream)
        } else {
            stream.fields.append(name: name.span, value: value.span)
        }
    }

    private func pseudoField(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, _ stream: HTTP2Stream) {
        let text = String(decoding: value, as: UTF8.self)
        // The second letter tells them apart, but for :path and :protocol.
        switch (name.count, name[1]) {
        case (7, UInt8(ascii: "m")): stream.method = text
        case (7, UInt8(ascii: "s")) where name[2] == UInt8(ascii: "c"): stream.scheme = text
        case (7, _): stream.status = Int(text) ?? 0
        case (5, _): stream.target = text
        case (10, _): stream.authority = text
        default: stream.upgradeProtocol = text
        }
    }

    fileprivate func headComplete(_ stream: HTTP2Stream, isEnd: Bool) {
        if isEnd { stream.hasReceivedEnd = true }
        guard !stream.isHeadDone else {
            let trailers = takeFields(of: stream)
            guard !stream.isHeadTooLarge else { return stream.reset(.protocolError) }
            return stream.receiver?.streamReceivedEnd(trailers: trailers, on: stream) ?? ()
        }
        switch role {
        case .server(let handler): requestComplete(stream, isEnd: isEnd, handler)
        case .client: responseComplete(stream, isEnd: isEnd)
        }
    }

    private func requestComplete(_ stream: HTTP2Stream, isEnd: Bool, _ handler: any HTTPServerHandler) {
        stream.isHeadDone = true
        let head = takeHead(of: stream)
        if stream.isHeadTooLarge {
            let answer = handler.answer(
                to: MessageRefusal(status: 431, explanation: "The header section is larger than this server takes."))
            return stream.respond(answer.head, body: answer.body)
        }
        guard let head = head.checked() else { return stream.reset(.protocolError) }
        stream.receiver = handler.accept(head, isEnd: isEnd, on: stream)
        if isEnd { stream.receiver?.streamReceivedEnd(trailers: nil, on: stream) }
    }

    private func takeHead(of stream: HTTP2Stream) -> HTTPRequestHead {
        HTTPRequestHead(
            method: stream.method, target: stream.target, authority: stream.authority, scheme: stream.scheme,
            upgradeProtocol: stream.upgradeProtocol, fields: takeFields(of: stream))
    }

    private func responseComplete(_ stream: HTTP2Stream, isEnd: Bool) {
        let head = HTTPResponseHead(status: stream.status, fields: takeFields(of: stream))
        guard !stream.isHeadTooLarge else { return stream.reset(.protocolError) }
        if head.status >= 200 { stream.isHeadDone = true }
        stream.receiver?.streamReceived(head, on: stream)
        if isEnd { stream.receiver?.streamReceivedEnd(trailers: nil, on: stream) }
    }

    private func takeFields(of stream: HTTP2Stream) -> HTTPFields {
        let fields = stream.fields
        stream.fields = HTTPFields()
        stream.headerListByteCount = 0
        return fields
    }

    fileprivate func dataEnded(_ stream: HTTP2Stream) {
        stream.hasReceivedEnd = true
        stream.receiver?.streamReceivedEnd(trailers: nil, on: stream)
    }

    fileprivate func data(_ bytes: UnsafeBufferPointer<UInt8>, _ stream: HTTP2Stream) {
        if let session { nghttp2_session_consume_connection(session, bytes.count) }
        stream.unconsumedByteCount += bytes.count
        stream.receivedByteCount += bytes.count
        guard let receiver = stream.receiver else { return stream.consume(bytes.count) }
        receiver.streamReceived(bytes.span, on: stream)
    }

    fileprivate func streamClosed(_ id: Int32, code: UInt32) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        if case .server(let handler) = role, !stream.isHeadDone { handler.headBroke(off: takeHead(of: stream), on: self) }
        let isComplete = isServer ? stream.hasSentEnd : stream.hasReceivedEnd
        if !stream.isReset, !isComplete || code != NGHTTP2_NO_ERROR.rawValue {
            stream.peersReset = StreamReset(errorCode: code)
        }
        let error: StreamError? =
            switch nghttp2_error_code(rawValue: nghttp2_error_code.RawValue(code)) {
            case NGHTTP2_NO_ERROR: isComplete ? nil : .cancelledByPeer
            case NGHTTP2_REFUSED_STREAM: stream.isReset ? .cancelled : .refusedByPeer
            case NGHTTP2_PROTOCOL_ERROR: stream.isReset ? .cancelled : .malformed("the message broke HTTP/2's rules")
            default: stream.isReset ? .cancelled : .cancelledByPeer
            }
        close(stream, error)
    }

    fileprivate func resetCameLate(_ id: Int32, code: UInt32) {
        guard case .server(let handler) = role else { return }
        handler.resetCameLate(
            forStream: id, wasRefused: code == UInt32(NGHTTP2_REFUSED_STREAM.rawValue), on: self)
    }

    fileprivate func goAwayReceived(_ frame: nghttp2_goaway) {
        noteGoingAway()
        guard case .client(let owner) = role else { return }
        let debug = UnsafeBufferPointer(start: frame.opaque_data, count: frame.opaque_data_len)
        owner.connectionGoingAway(self, errorCode: frame.error_code, debugData: Array(debug))
    }

    /// Our message is out. A request that is still coming is of no use any more: the peer must not wait on its window.
    fileprivate func endSent(_ stream: HTTP2Stream) {
        stream.hasSentEnd = true
        // A tunnel that CONNECT opened may go on in the other direction.
        guard isServer, !stream.hasReceivedEnd, !stream.isTunnel, !stream.awaitsPeersEnd, let session else { return }
        nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, UInt32(NGHTTP2_NO_ERROR.rawValue))
        schedulePump()
    }
}

extension HTTPRequestHead {
    /// nghttp2 looks at the path of `http` and `https` only, and nothing else travels through here. A CONNECT without
    /// `:protocol` has neither scheme nor path.
    private var hasPlainTarget: Bool {
        if method == "CONNECT", upgradeProtocol == nil { return true }
        guard scheme == "http" || scheme == "https" else { return false }
        return target.utf8.first == UInt8(ascii: "/") || target == "*" && method == "OPTIONS"
    }

    /// The head with what nghttp2 leaves to us settled: `:authority` and Host agree, and one of them is there.
    fileprivate func checked() -> HTTPRequestHead? {
        guard hasPlainTarget else { return nil }
        guard fields.count(of: .host) > 0 else { return authority.isEmpty && method != "CONNECT" ? nil : self }
        guard fields.count(of: .host) == 1, let host = fields.first(.host) else { return nil }
        guard !authority.isEmpty else {
            var head = self
            head.authority = host
            return head
        }
        return host.lowercased() == authority.lowercased() ? self : nil
    }
}

extension StreamReset {
    /// What a peer means by the error code of its reset; one that blames this end is an error behind it for anybody else.
    fileprivate init(errorCode: UInt32) {
        switch nghttp2_error_code(rawValue: nghttp2_error_code.RawValue(errorCode)) {
        case NGHTTP2_CANCEL: self = .cancel
        case NGHTTP2_REFUSED_STREAM: self = .refused
        case NGHTTP2_ENHANCE_YOUR_CALM: self = .overloaded
        default: self = .internalError
        }
    }
}

// MARK: - The C side

private func connection(_ user: UnsafeMutableRawPointer?) -> HTTP2Connection? {
    user.map { Unmanaged<HTTP2Connection>.fromOpaque($0).takeUnretainedValue() }
}

private func stream(_ session: OpaquePointer?, _ id: Int32) -> HTTP2Stream? {
    guard let pointer = nghttp2_session_get_stream_user_data(session, id) else { return nil }
    return Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
}

private func onBeginHeaders(
    session: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, user: UnsafeMutableRawPointer?
) -> Int32 {
    if let frame { connection(user)?.beginHeaders(frame.pointee.hd.stream_id) }
    return 0
}

private func onHeader(
    session: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, name: UnsafePointer<UInt8>?, nameCount: Int,
    value: UnsafePointer<UInt8>?, valueCount: Int, flags: UInt8, user: UnsafeMutableRawPointer?
) -> Int32 {
    guard let frame, let stream = stream(session, frame.pointee.hd.stream_id) else { return 0 }
    connection(user)?.header(
        UnsafeBufferPointer(start: name, count: nameCount), UnsafeBufferPointer(start: value, count: valueCount), stream)
    return 0
}

/// An illegal name or value ends the stream; by default nghttp2 would drop the field and go on.
private func onInvalidHeader(
    session: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, name: UnsafePointer<UInt8>?, nameCount: Int,
    value: UnsafePointer<UInt8>?, valueCount: Int, flags: UInt8, user: UnsafeMutableRawPointer?
) -> Int32 {
    NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
}

private func onFrame(session: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, user: UnsafeMutableRawPointer?) -> Int32 {
    guard let frame, let connection = connection(user) else { return 0 }
    let head = frame.pointee.hd
    let isEnd = head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
    switch nghttp2_frame_type(rawValue: nghttp2_frame_type.RawValue(head.type)) {
    case NGHTTP2_HEADERS:
        if let stream = stream(session, head.stream_id) { connection.headComplete(stream, isEnd: isEnd) }
    case NGHTTP2_DATA:
        if isEnd, let stream = stream(session, head.stream_id) { connection.dataEnded(stream) }
    case NGHTTP2_RST_STREAM:
        connection.noteResetReceived()
        if stream(session, head.stream_id) == nil {
            connection.resetCameLate(head.stream_id, code: frame.pointee.rst_stream.error_code)
        }
    case NGHTTP2_WINDOW_UPDATE: connection.tellOfRoom()
    case NGHTTP2_GOAWAY: connection.goAwayReceived(frame.pointee.goaway)
    case NGHTTP2_PING:
        guard head.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0 else { break }
        connection.notePong()
        let isLast = withUnsafeBytes(of: frame.pointee.ping.opaque_data) { $0.elementsEqual(HTTP2Connection.lastPing) }
        if isLast { connection.noteLastPong() }
    case NGHTTP2_SETTINGS:
        connection.noteSettings(isAnswer: head.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0)
    default: break
    }
    return 0
}

private func onBeginFrame(
    session: OpaquePointer?, head: UnsafePointer<nghttp2_frame_hd>?, user: UnsafeMutableRawPointer?
) -> Int32 {
    guard let head = head?.pointee else { return 0 }
    let isAnswer = head.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
    switch nghttp2_frame_type(rawValue: nghttp2_frame_type.RawValue(head.type)) {
    case NGHTTP2_HEADERS, NGHTTP2_CONTINUATION, NGHTTP2_RST_STREAM, NGHTTP2_WINDOW_UPDATE, NGHTTP2_GOAWAY: break
    case NGHTTP2_DATA: if head.length == 0, head.flags & 1 == 0 { connection(user)?.noteIdleFrame() }
    case NGHTTP2_PING, NGHTTP2_SETTINGS: if !isAnswer { connection(user)?.noteIdleFrame() }
    default: connection(user)?.noteIdleFrame()
    }
    return 0
}

private func onData(
    session: OpaquePointer?, flags: UInt8, id: Int32, bytes: UnsafePointer<UInt8>?, count: Int, user: UnsafeMutableRawPointer?
) -> Int32 {
    guard let connection = connection(user) else { return 0 }
    let chunk = UnsafeBufferPointer(start: bytes, count: count)
    if let stream = stream(session, id) {
        connection.data(chunk, stream)
    } else {
        nghttp2_session_consume(session, id, count)
    }
    return 0
}

private func onStreamClose(session: OpaquePointer?, id: Int32, code: UInt32, user: UnsafeMutableRawPointer?) -> Int32 {
    connection(user)?.streamClosed(id, code: code)
    return 0
}

private func onFrameSent(session: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, user: UnsafeMutableRawPointer?) -> Int32
{
    guard let head = frame?.pointee.hd, let connection = connection(user) else { return 0 }
    switch nghttp2_frame_type(rawValue: nghttp2_frame_type.RawValue(head.type)) {
    case NGHTTP2_HEADERS, NGHTTP2_DATA:
        guard head.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 else { return 0 }
        if let stream = stream(session, head.stream_id) { connection.endSent(stream) }
    case NGHTTP2_RST_STREAM:
        if let code = frame?.pointee.rst_stream.error_code, connection.isServer, isPeersFault(code) {
            connection.noteResetSent()
        }
    default: break
    }
    return 0
}

/// Whether a reset with this code answers something that the peer did wrong; the others are our own decisions.
private func isPeersFault(_ code: UInt32) -> Bool {
    switch nghttp2_error_code(rawValue: nghttp2_error_code.RawValue(code)) {
    case NGHTTP2_NO_ERROR, NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM: false
    default: true
    }
}

/// A frame that nghttp2 would not send, such as a head that it finds too large: its stream ends rather than wait for ever.
private func onFrameNotSent(
    session: OpaquePointer?, frame: UnsafePointer<nghttp2_frame>?, error: Int32, user: UnsafeMutableRawPointer?
) -> Int32 {
    guard let frame = frame?.pointee, frame.hd.type == UInt8(NGHTTP2_HEADERS.rawValue) else { return 0 }
    // The stream of a request that was not sent is closed by nghttp2: the peer knows nothing of it, and a reset of a stream
    // that it does not know would end the connection (RFC 9113 §5.1).
    guard frame.headers.cat != NGHTTP2_HCAT_REQUEST else { return 0 }
    stream(session, frame.hd.stream_id)?.reset(.internalError)
    return 0
}
