internal import COpenSSL

/// The socket below a TLS session: OpenSSL calls it for ciphertext.
package protocol TLSCarrier: AnyObject {
    /// Reads ciphertext: the number of bytes, 0 at the end of the stream, nil when there is none now.
    func readCiphertext(into buffer: UnsafeMutableRawBufferPointer) -> Int?
    /// Takes all of the ciphertext, to be sent when the carrier sees fit.
    func writeCiphertext(_ bytes: UnsafeRawBufferPointer)
}

/// What one step of a TLS session came to.
package enum TLSStep: Equatable {
    case done(byteCount: Int)
    /// Nothing more can be done until more ciphertext has come.
    case wantsRead
    /// The peer said that it sends no more (close_notify, or the end of the stream).
    case ended
    case failed(TLSError)
}

/// One TLS connection over a carrier: plaintext on this side, ciphertext on the carrier's.
package final class TLSSession {
    private let session: OpaquePointer
    private let context: TLSContext
    // The carrier owns this session and so outlives it; this is asked for every record.
    private unowned(unsafe) let carrier: any TLSCarrier

    /// - Parameter serverName: for a client, the name to ask for and to verify; an IP address is verified as such.
    package init(context: TLSContext, carrier: any TLSCarrier, serverName: String? = nil) throws(TLSError) {
        guard let session = SSL_new(context.pointer) else { throw .last("create session") }
        self.session = session
        self.context = context
        self.carrier = carrier
        guard let bio = BIO_new(carrierMethod) else { throw .last("create session") }
        BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        BIO_set_init(bio, 1)
        SSL_set_bio(session, bio, bio)
        if context.isServer {
            SSL_set_accept_state(session)
        } else {
            SSL_set_connect_state(session)
            if let serverName { try expect(serverName) }
        }
    }

    deinit { SSL_free(session) }

    private func expect(_ serverName: String) throws(TLSError) {
        let isAddress = serverName.contains(":") || serverName.allSatisfy { $0.isNumber || $0 == "." }
        if isAddress {
            guard X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), serverName) == 1 else {
                throw .last("set server address")
            }
        } else {
            guard culvert_SSL_set_tlsext_host_name(session, serverName) == 1, SSL_set1_host(session, serverName) == 1 else {
                throw .last("set server name")
            }
        }
    }

    /// Goes on with the handshake.
    package func handshake() -> TLSStep { step(clean { SSL_do_handshake(session) }, "TLS handshake") }

    package func read(into buffer: UnsafeMutableRawBufferPointer) -> TLSStep {
        step(clean { SSL_read(session, buffer.baseAddress, Int32(clamping: buffer.count)) }, "TLS read")
    }

    /// Encrypts the bytes, at most one record of 16 KiB.
    package func write(_ bytes: UnsafeRawBufferPointer) -> TLSStep {
        step(clean { SSL_write(session, bytes.baseAddress, Int32(clamping: bytes.count)) }, "TLS write")
    }

    /// Reads so much ciphertext at a time; 16 KiB unless told otherwise. Suits connections that carry much.
    package func setReadByteCount(_ count: Int) { SSL_set_default_read_buffer_len(session, count) }

    /// Says that no more plaintext comes from this side.
    package func sendCloseNotify() {
        guard SSL_is_init_finished(session) == 1 else { return }
        _ = SSL_shutdown(session)
        ERR_clear_error()
    }

    /// The protocol that ALPN chose, or nil.
    package var applicationProtocol: String? {
        var bytes: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(session, &bytes, &length)
        guard let bytes, length > 0 else { return nil }
        return String(decoding: UnsafeBufferPointer(start: bytes, count: Int(length)), as: UTF8.self)
    }

    /// The name that the client asked for, in lower case.
    package var serverName: String? {
        SSL_get_servername(session, TLSEXT_NAMETYPE_host_name).map { String(cString: $0).lowercased() }
    }

    package var isResumed: Bool { SSL_session_reused(session) == 1 }

    /// Runs the operation on an empty error queue: what other work of this thread left there would be taken for its outcome.
    private func clean(_ operation: () -> Int32) -> Int32 {
        if ERR_peek_error() != 0 { ERR_clear_error() }
        return operation()
    }

    private func step(_ result: Int32, _ operation: String) -> TLSStep {
        if result > 0 { return .done(byteCount: Int(result)) }
        switch SSL_get_error(session, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .wantsRead
        case SSL_ERROR_ZERO_RETURN: return .ended
        case SSL_ERROR_SYSCALL where ERR_peek_error() == 0: return .ended
        default: return .failed(failure(operation))
        }
    }

    private func failure(_ operation: String) -> TLSError {
        let verification = SSL_get_verify_result(session)
        let error = TLSError.last(operation)
        guard verification != Int(X509_V_OK), let text = X509_verify_cert_error_string(verification) else { return error }
        return TLSError(operation: operation, reason: "certificate not accepted: \(String(cString: text))")
    }

    fileprivate func carrierRead(_ buffer: UnsafeMutableRawBufferPointer) -> Int? { carrier.readCiphertext(into: buffer) }
    fileprivate func carrierWrite(_ bytes: UnsafeRawBufferPointer) { carrier.writeCiphertext(bytes) }
}

// MARK: - The BIO that joins OpenSSL to a carrier

// Built once and read-only afterwards.
nonisolated(unsafe) private let carrierMethod: OpaquePointer? = {
    guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "culvert carrier") else { return nil }
    BIO_meth_set_read(method) { bio, buffer, count in
        guard let bio, let buffer, let data = BIO_get_data(bio) else { return -1 }
        culvert_BIO_clear_retry_flags(bio)
        let session = Unmanaged<TLSSession>.fromOpaque(data).takeUnretainedValue()
        guard let moved = session.carrierRead(UnsafeMutableRawBufferPointer(start: buffer, count: Int(count))) else {
            culvert_BIO_set_retry_read(bio)
            return -1
        }
        return Int32(moved)
    }
    BIO_meth_set_write(method) { bio, bytes, count in
        guard let bio, let bytes, let data = BIO_get_data(bio) else { return -1 }
        culvert_BIO_clear_retry_flags(bio)
        let session = Unmanaged<TLSSession>.fromOpaque(data).takeUnretainedValue()
        session.carrierWrite(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
        return count
    }
    BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
    return method
}()
