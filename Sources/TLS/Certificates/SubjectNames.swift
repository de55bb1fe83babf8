internal import COpenSSL
internal import TunnelWire

/// The subject alternative names of a certificate or a request (RFC 5280 section 4.2.1.6), each with its kind.
struct SubjectNames {
    enum Kind: Hashable { case dns, ipAddress, uri, email, other }

    struct Name: Hashable {
        var kind: Kind
        /// The name as written; for an IPv4 address dotted, for any other its bytes in hexadecimal, for other kinds nothing.
        var text: String
    }

    var names: [Name] = []
    /// False when an extension is there but cannot be read, or is there twice.
    var isWellFormed = true

    init(certificate: Certificate) {
        var critical: Int32 = 0
        self.init(found: X509_get_ext_d2i(certificate.pointer, NID_subject_alt_name, &critical, nil), critical: critical)
    }

    /// Takes what a `d2i` lookup gave, and frees it. A critical flag of −2 says twice, and an unreadable one is found but nil.
    init(found: UnsafeMutableRawPointer?, critical: Int32) {
        isWellFormed = found != nil || critical == -1
        guard let found else {
            ERR_clear_error()
            return
        }
        let stack = OpaquePointer(found)
        defer { GENERAL_NAMES_free(stack) }
        for index in 0..<OPENSSL_sk_num(stack) {
            guard let entry = OPENSSL_sk_value(stack, index) else { continue }
            names.append(Self.name(of: entry.assumingMemoryBound(to: GENERAL_NAME.self)))
        }
    }

    private static func name(of entry: UnsafePointer<GENERAL_NAME>) -> Name {
        var type: Int32 = 0
        let value = GENERAL_NAME_get0_value(entry, &type)
        switch type {
        case GEN_DNS: return Name(kind: .dns, text: text(value))
        case GEN_URI: return Name(kind: .uri, text: text(value))
        case GEN_EMAIL: return Name(kind: .email, text: text(value))
        case GEN_IPADD: return Name(kind: .ipAddress, text: address(bytes(value)))
        default: return Name(kind: .other, text: "")
        }
    }

    private static func text(_ value: UnsafeMutableRawPointer?) -> String {
        // A NUL inside a name is kept as it is: cutting there is how names were once forged.
        String(decoding: bytes(value), as: UTF8.self)
    }

    private static func address(_ bytes: [UInt8]) -> String {
        bytes.count == 4 ? bytes.map { "\($0)" }.joined(separator: ".") : Hex.encode(bytes)
    }

    private static func bytes(_ value: UnsafeMutableRawPointer?) -> [UInt8] {
        guard let string = value?.assumingMemoryBound(to: ASN1_STRING.self) else { return [] }
        return Array(UnsafeBufferPointer(start: ASN1_STRING_get0_data(string), count: Int(ASN1_STRING_length(string))))
    }
}
