internal import CNghttp2
package import TunnelWire

// Heads, data and resets on their way into nghttp2.
extension HTTP2Connection {
    func submitSettings() {
        guard let session else { return }
        var entries = [
            entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.streamWindowByteCount),
            entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, isServer ? settings.concurrentStreamsMax : 0),
            entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.headerListByteCountMax),
        ]
        if settings.offersExtendedConnect { entries.append(entry(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1)) }
        if !isServer { entries.append(entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0)) }
        nghttp2_submit_settings(session, none, entries, entries.count)
        nghttp2_session_set_local_window_size(session, none, 0, Int32(settings.connectionWindowByteCount))
    }

    private func entry(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
        nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(value))
    }

    /// Begins an exchange as a client; nil when the connection takes no more.
    package func request(
        _ head: HTTPRequestHead, isEnd: Bool, receiver: any HTTPStreamReceiver
    ) -> HTTP2Stream? {
        guard let session, mayBegin else { return nil }
        let stream = HTTP2Stream(session: self)
        stream.receiver = receiver
        stream.hasSentHead = true
        stream.isFinished = isEnd
        let pointer = Unmanaged.passUnretained(stream).toOpaque()
        pseudoFields.removeAll()
        pseudoFields.append(":method", head.method)
        pseudoFields.append(":scheme", head.scheme)
        if !head.authority.isEmpty { pseudoFields.append(":authority", head.authority) }
        if !head.target.isEmpty { pseudoFields.append(":path", head.target) }
        if let name = head.upgradeProtocol { pseudoFields.append(":protocol", name) }
        let id = withHeaderList(head.fields) { list, count in
            guard !isEnd else { return nghttp2_submit_request(session, nil, list, count, nil, pointer) }
            var provider = dataProvider(for: stream)
            return nghttp2_submit_request(session, nil, list, count, &provider, pointer)
        }
        guard id > 0 else { return nil }
        stream.id = id
        streams[id] = stream
        schedulePump()
        return stream
    }

    func submitInterim(_ head: HTTPResponseHead, on stream: HTTP2Stream) {
        guard let session else { return }
        setStatus(head.status)
        _ = withHeaderList(head.fields) { list, count in
            nghttp2_submit_headers(session, none, stream.id, nil, list, count, nil)
        }
        schedulePump()
    }

    func submitResponse(_ head: HTTPResponseHead, isEnd: Bool, on stream: HTTP2Stream) {
        guard let session else { return }
        setStatus(head.status)
        let result = withHeaderList(head.fields) { list, count in
            guard !isEnd else { return nghttp2_submit_response(session, stream.id, list, count, nil) }
            var provider = dataProvider(for: stream)
            return nghttp2_submit_response(session, stream.id, list, count, &provider)
        }
        if result != 0 { stream.reset(.internalError) }
        schedulePump()
    }

    func resumeData(of stream: HTTP2Stream) {
        guard let session, stream.hasSentHead else { return }
        nghttp2_session_resume_data(session, stream.id)
        schedulePump()
    }

    func submitReset(_ reason: StreamReset, of stream: HTTP2Stream) {
        guard let session else { return }
        let code: nghttp2_error_code =
            switch reason {
            case .cancel: NGHTTP2_CANCEL
            case .internalError: NGHTTP2_INTERNAL_ERROR
            case .protocolError: NGHTTP2_PROTOCOL_ERROR
            case .refused: NGHTTP2_REFUSED_STREAM
            case .overloaded: NGHTTP2_ENHANCE_YOUR_CALM
            }
        nghttp2_submit_rst_stream(session, none, stream.id, UInt32(code.rawValue))
        schedulePump()
    }

    /// Lets the peer send as much again once a piece of its window is free; nghttp2 by itself waits for half of the window.
    func giveBack(_ byteCount: Int, of stream: HTTP2Stream, inPiecesOf piece: Int) {
        guard let session else { return }
        nghttp2_session_consume_stream(session, stream.id, byteCount)
        let taken = Int(nghttp2_session_get_stream_effective_recv_data_length(session, stream.id))
        let free = taken - stream.unconsumedByteCount
        if free >= piece, !stream.hasReceivedEnd { nghttp2_submit_window_update(session, none, stream.id, Int32(free)) }
        schedulePump()
    }

    func widenWindow(of stream: HTTP2Stream, to byteCount: Int) {
        guard let session else { return }
        nghttp2_session_set_local_window_size(session, none, stream.id, Int32(byteCount))
        usualWindowByteCount = max(usualWindowByteCount, byteCount)
    }

    private var none: UInt8 { UInt8(NGHTTP2_FLAG_NONE.rawValue) }

    private func dataProvider(for stream: HTTP2Stream) -> nghttp2_data_provider {
        nghttp2_data_provider(
            source: nghttp2_data_source(ptr: Unmanaged.passUnretained(stream).toOpaque()), read_callback: readOutgoing)
    }

    private func setStatus(_ status: Int) {
        pseudoFields.removeAll()
        pseudoFields.append(":status", String(status))
    }

    /// Lays the pseudo-fields and the fields out as nghttp2 wants them; it copies them during the call.
    private func withHeaderList<Result>(_ fields: HTTPFields, _ body: (UnsafePointer<nghttp2_nv>, Int) -> Result) -> Result {
        // The buffers of both stay where they are: nothing changes them before this function returns.
        var list = headerList
        headerList = []
        list.removeAll(keepingCapacity: true)
        defer { headerList = list }
        return withExtendedLifetime((pseudoFields, fields)) {
            pseudoFields.forEach { name, value in list.append(nameValue(name, value)) }
            fields.forEach { _, name, value in
                name.withUnsafeBufferPointer { name in value.withUnsafeBufferPointer { list.append(nameValue(name, $0)) } }
            }
            return body(list, list.count)
        }
    }

    private func nameValue(_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> nghttp2_nv {
        nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name.baseAddress), value: UnsafeMutablePointer(mutating: value.baseAddress),
            namelen: name.count, valuelen: value.count, flags: none)
    }

    /// Submits the trailers that end the stream's message; called while nghttp2 asks for the last data.
    fileprivate func submitTrailers(of stream: HTTP2Stream) {
        guard let session, let trailers = stream.trailers else { return }
        pseudoFields.removeAll()
        _ = withHeaderList(trailers) { list, count in nghttp2_submit_trailer(session, stream.id, list, count) }
    }
}

/// nghttp2 asks how much data the stream has: the bytes themselves go out in `sendData`, uncopied.
private func readOutgoing(
    session: OpaquePointer?, id: Int32, buffer: UnsafeMutablePointer<UInt8>?, length: Int,
    flags: UnsafeMutablePointer<UInt32>?, source: UnsafeMutablePointer<nghttp2_data_source>?, user: UnsafeMutableRawPointer?
) -> Int {
    guard let pointer = source?.pointee.ptr, let flags else { return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
    let stream = Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
    let count = min(length, stream.outgoing.count)
    guard count > 0 || stream.isFinished else { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
    flags.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
    if stream.isFinished, count == stream.outgoing.count {
        flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
        if stream.trailers != nil {
            flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
            stream.session.submitTrailers(of: stream)
        }
    }
    return count
}

extension HTTP2Connection {
    /// The header list that the peer says it takes (SETTINGS_MAX_HEADER_LIST_SIZE); `Int.max` when it has not said.
    package var peerHeaderListByteCountMax: Int {
        guard let session else { return 0 }
        let value = nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE)
        return value == UInt32.max ? Int.max : Int(value)
    }
}

// MARK: - DATA frames

extension HTTP2Connection {
    /// Writes a DATA frame: nghttp2's nine bytes of frame head and the stream's bytes, from where they lie.
    fileprivate func sendFrame(head: UnsafePointer<UInt8>, byteCount: Int, _ stream: HTTP2Stream) {
        let head = UnsafeRawBufferPointer(start: head, count: frameHeadByteCount)
        guard byteCount > 0 else { return channel.write(head) }
        channel.write(stream.outgoing.first(byteCount, after: head))
        stream.outgoing.removeFirst(byteCount)
        stream.stalledSinceNanoseconds = nowNanoseconds
        stream.receiver?.streamSent(byteCount: byteCount, on: stream)
    }
}

private let frameHeadByteCount = 9

/// nghttp2 asks how large a DATA frame may be, besides what the peer allows: with its head it fills one TLS record.
func frameByteCount(
    session: OpaquePointer?, frameType: UInt8, id: Int32, connectionWindow: Int32, streamWindow: Int32,
    peerFrameByteCountMax: UInt32, user: UnsafeMutableRawPointer?
) -> Int {
    Channel.recordByteCount - frameHeadByteCount
}

func sendData(
    session: OpaquePointer?, frame: UnsafeMutablePointer<nghttp2_frame>?, head: UnsafePointer<UInt8>?, length: Int,
    source: UnsafeMutablePointer<nghttp2_data_source>?, user: UnsafeMutableRawPointer?
) -> Int32 {
    guard let head, let pointer = source?.pointee.ptr, let user else { return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
    let connection = Unmanaged<HTTP2Connection>.fromOpaque(user).takeUnretainedValue()
    connection.sendFrame(head: head, byteCount: length, Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue())
    return 0
}
