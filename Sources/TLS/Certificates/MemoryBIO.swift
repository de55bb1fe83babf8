internal import COpenSSL

/// Owns an OpenSSL buffer, the only thing its PEM functions read from and write to.
struct MemoryBIO: ~Copyable {
    let pointer: OpaquePointer

    /// An empty buffer to write to.
    init() throws(OpenSSLFailure) {
        pointer = try checked("allocate a buffer", BIO_new(BIO_s_mem()))
    }

    /// A buffer that reads a copy of the text.
    static func reading(_ text: String) throws(OpenSSLFailure) -> MemoryBIO {
        let buffer = try MemoryBIO()
        var text = text
        let written = text.withUTF8 { BIO_write(buffer.pointer, $0.baseAddress, Int32(clamping: $0.count)) }
        guard written == text.utf8.count else { throw OpenSSLFailure(attempt: "copy \(text.utf8.count) bytes of PEM") }
        return buffer
    }

    deinit { BIO_free(pointer) }

    /// Everything that was written and not yet read.
    consuming func text() -> String {
        var start: UnsafeMutablePointer<CChar>?
        let count = BIO_ctrl(pointer, BIO_CTRL_INFO, 0, &start)
        guard let start, count > 0 else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }
}

/// The DER bytes that an OpenSSL `i2d_` function writes.
func encodeDER(
    _ attempt: String, _ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
) throws(OpenSSLFailure) -> [UInt8] {
    let count = encode(nil)
    guard count > 0 else { throw OpenSSLFailure(attempt: attempt) }
    return [UInt8](unsafeUninitializedCapacity: Int(count)) { bytes, initialized in
        // OpenSSL moves the pointer it is given past what it wrote.
        var place = bytes.baseAddress
        initialized = Int(encode(&place))
    }
}
