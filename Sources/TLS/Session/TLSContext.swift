internal import COpenSSL
internal import Synchronization

/// Settings and session cache that many TLS connections share: OpenSSL's `SSL_CTX`.
///
/// TLS 1.2 and 1.3 with Mozilla's "intermediate" suites, no renegotiation, no compression.
package final class TLSContext: Sendable {
    /// Finds the identity for a server name (lower case, nil when the client sent none); nil refuses the handshake.
    package typealias IdentityLookup = @Sendable (_ serverName: String?) -> TLSIdentity?

    /// Whom a client trusts.
    package enum Trust: Sendable, Hashable {
        /// The system's certificate store.
        case system
        /// A PEM file of authorities, beside nothing else.
        case file(String)
    }

    // An SSL_CTX is safe to share between threads once it is set up, which `init` does.
    nonisolated(unsafe) let pointer: OpaquePointer
    let isServer: Bool
    let applicationProtocols: [String]
    let identityLookup: IdentityLookup?

    private static let suites12 =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
        + "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

    private init(
        server: Bool, applicationProtocols: [String], identityLookup: IdentityLookup?
    ) throws(TLSError) {
        guard let context = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method()) else {
            throw .last("create context")
        }
        pointer = context
        isServer = server
        self.applicationProtocols = applicationProtocols
        self.identityLookup = identityLookup
        _ = culvert_SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION)
        SSL_CTX_set_options(
            context, SSL_OP_NO_COMPRESSION_FLAG | SSL_OP_NO_RENEGOTIATION_FLAG | SSL_OP_IGNORE_UNEXPECTED_EOF_FLAG)
        _ = culvert_SSL_CTX_set_mode(context, SSL_MODE_FLAGS)
        culvert_SSL_CTX_set_read_ahead(context, 1)
        guard SSL_CTX_set_cipher_list(context, TLSContext.suites12) == 1,
            culvert_SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1
        else { throw .last("choose cipher suites") }
    }

    deinit { SSL_CTX_free(pointer) }

    /// A server that finds its certificate by server name and prefers the protocols in the order given.
    package static func server(
        applicationProtocols: [String], identityLookup: @escaping IdentityLookup
    ) throws(TLSError) -> TLSContext {
        let context = try TLSContext(server: true, applicationProtocols: applicationProtocols, identityLookup: identityLookup)
        let sessionContext: [UInt8] = Array("culvert".utf8)
        SSL_CTX_set_session_id_context(context.pointer, sessionContext, UInt32(sessionContext.count))
        _ = culvert_SSL_CTX_set_session_cache_mode(context.pointer, Int(SSL_SESS_CACHE_OFF))
        let this = Unmanaged.passUnretained(context).toOpaque()
        _ = culvert_SSL_CTX_set_tlsext_servername_callback(context.pointer, judgeServerName)
        _ = culvert_SSL_CTX_set_tlsext_servername_arg(context.pointer, this)
        SSL_CTX_set_cert_cb(context.pointer, chooseIdentity, this)
        SSL_CTX_set_alpn_select_cb(context.pointer, chooseApplicationProtocol, this)
        return context
    }

    /// A client that verifies the server's certificate and name.
    package static func client(applicationProtocols: [String], trust: Trust) throws(TLSError) -> TLSContext {
        let context = try TLSContext(server: false, applicationProtocols: applicationProtocols, identityLookup: nil)
        let isTrustLoaded =
            switch trust {
            case .system: SSL_CTX_set_default_verify_paths(context.pointer)
            case .file(let path): SSL_CTX_load_verify_file(context.pointer, path)
            }
        guard isTrustLoaded == 1 else { throw .last("load trusted certificates") }
        SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
        let offer = applicationProtocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        guard SSL_CTX_set_alpn_protos(context.pointer, offer, UInt32(offer.count)) == 0 else { throw .last("set ALPN") }
        return context
    }
}

/// A name that we have no certificate for is refused with the alert that says so (RFC 6066 §3).
private func judgeServerName(
    session: OpaquePointer?, alert: UnsafeMutablePointer<Int32>?, argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let session, let argument, let name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name) else {
        return SSL_TLSEXT_ERR_OK
    }
    let context = Unmanaged<TLSContext>.fromOpaque(argument).takeUnretainedValue()
    if context.identityLookup?(String(cString: name).lowercased()) != nil { return SSL_TLSEXT_ERR_OK }
    alert?.pointee = SSL_AD_UNRECOGNIZED_NAME
    return SSL_TLSEXT_ERR_ALERT_FATAL
}

private func chooseIdentity(session: OpaquePointer?, argument: UnsafeMutableRawPointer?) -> Int32 {
    guard let session, let argument else { return 0 }
    let context = Unmanaged<TLSContext>.fromOpaque(argument).takeUnretainedValue()
    let name = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name).map { String(cString: $0).lowercased() }
    guard let identity = context.identityLookup?(name) else { return 0 }
    return identity.apply(to: session) ? 1 : 0
}

private func chooseApplicationProtocol(
    session: OpaquePointer?, out: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, outLength: UnsafeMutablePointer<UInt8>?,
    offered: UnsafePointer<UInt8>?, offeredLength: UInt32, argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let argument, let offered, let out, let outLength else { return SSL_TLSEXT_ERR_NOACK }
    let context = Unmanaged<TLSContext>.fromOpaque(argument).takeUnretainedValue()
    for wanted in context.applicationProtocols {
        var offset = 0
        while offset < Int(offeredLength) {
            let length = Int(offered[offset])
            let candidate = UnsafeBufferPointer(start: offered + offset + 1, count: length)
            if candidate.elementsEqual(wanted.utf8) {
                out.pointee = candidate.baseAddress
                outLength.pointee = UInt8(length)
                return SSL_TLSEXT_ERR_OK
            }
            offset += 1 + length
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
