/// Reads server name and ALPN out of the first bytes of a connection, however records and segments cut them.
///
/// Pass everything received so far each time; nothing is consumed, as the TLS library needs the same bytes afterwards. The
/// reader remembers how far it came, so that a hello that arrives byte by byte costs no more than one that comes at once.
package struct ClientHelloReader: Sendable {
    package enum Answer: Sendable, Hashable {
        case needMore
        case hello(ClientHello)
        /// The first bytes are no TLS handshake record: plain HTTP, SSH, noise.
        case notTLS
        case malformed(ClientHelloError)
    }

    /// The hello with its record headers; browsers with post-quantum keys send about 1,800.
    package static let byteCountMax = 16 * 1024

    /// The handshake bytes so far, without record headers.
    private var message: [UInt8] = []
    /// Where the next record header begins.
    private var recordOffset = 0
    private var answer = Answer.needMore

    package init() {}

    /// Any answer but `needMore` stays the answer.
    package mutating func read(_ input: Span<UInt8>) -> Answer {
        guard answer == .needMore else { return answer }
        do {
            answer = try advance(input.extracting(0..<min(input.count, ClientHelloReader.byteCountMax)))
        } catch {
            answer = .malformed(error)
        }
        return answer
    }

    private mutating func advance(_ input: Span<UInt8>) throws(ClientHelloError) -> Answer {
        while let header = try recordHeader(in: input) {
            guard let byteCount = header.byteCount else { return .notTLS }
            let start = recordOffset + ClientHelloReader.recordHeaderByteCount
            guard start + byteCount <= input.count else { break }
            let record = input.extracting(start..<start + byteCount)
            record.withUnsafeBufferPointer { message.append(contentsOf: $0) }
            recordOffset = start + byteCount
            if let body = try wholeBody() { return .hello(try ClientHello(parsing: message.span.extracting(body))) }
        }
        if isForeign(input) { return .notTLS }
        guard input.count < ClientHelloReader.byteCountMax else { throw .tooLarge }
        return .needMore
    }

    private static let recordHeaderByteCount = 5
    private static let recordByteCountMax = 16 * 1024

    /// The first two bytes of every handshake record: the type and the major version.
    private func isForeign(_ input: Span<UInt8>) -> Bool {
        recordOffset == 0 && (input.count > 0 && input[0] != 0x16 || input.count > 1 && input[1] != 0x03)
    }

    /// The length of the next record; nil as its length when this is not TLS; nil as a whole when more input is needed.
    private func recordHeader(in input: Span<UInt8>) throws(ClientHelloError) -> (byteCount: Int?, Void)? {
        guard recordOffset + ClientHelloReader.recordHeaderByteCount <= input.count else { return nil }
        if isForeign(input) { return (nil, ()) }
        guard input[recordOffset] == 0x16 else { throw .unexpectedMessage }
        guard input[recordOffset + 1] == 0x03 else { throw .malformedRecord }
        let byteCount = Int(input[recordOffset + 3]) << 8 | Int(input[recordOffset + 4])
        guard (1...ClientHelloReader.recordByteCountMax).contains(byteCount) else { throw .malformedRecord }
        return (byteCount, ())
    }

    /// Where the hello lies in the message, once all of it is there.
    private func wholeBody() throws(ClientHelloError) -> Range<Int>? {
        guard message[0] == 0x01 else { throw .unexpectedMessage }
        guard message.count >= 4 else { return nil }
        let byteCount = Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3])
        guard byteCount <= ClientHelloReader.byteCountMax else { throw .tooLarge }
        return message.count >= 4 + byteCount ? 4..<4 + byteCount : nil
    }
}
