import TunnelDomain
import TunnelWire

/// A stranger's request must come to a verdict, and to none in the stranger's favour; what a signer signs for it
/// must be genuine, and no longer when a byte of the body is another one.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzWebhooks(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
    guard let last = input.last else { return 0 }
    let request = request(from: input.dropLast())
    let scheme = schemes[Int(last) % schemes.count]
    let verifier = WebhookVerifier(scheme, cryptography: Checksums())
    if case .genuine = verifier.verdict(on: request) { preconditionFailure("a stranger is let in by \(scheme.name)") }
    checkSigner(request, scheme, verifier)

    let text = String(decoding: input, as: UTF8.self)
    if let pointer = JSONPointer(text) { precondition(JSONPointer(pointer.description) == pointer, "it reads as another one") }
    if let range = IPRange(text) { precondition(!range.contains("no address"), "what is no address is in no range") }
    _ = try? SignatureTemplate(parsing: text)
    let json = try? JSONValue(parsing: request.body)
    _ = WebhookHandshake.answer(to: request, by: scheme, json: json)
    let query = WebhookFilter.test(.query("a"), .exists)
    precondition(
        query.verdict(on: request, json: json) != WebhookFilter.not(query).verdict(on: request, json: json),
        "it is wanted and is not")
    return 0
}

private func checkSigner(_ request: WebhookRequest, _ scheme: WebhookScheme, _ verifier: WebhookVerifier) {
    var own = request
    own.fields = [WebhookField("content-type", "application/x-www-form-urlencoded")]
    own.body = Array("a=".utf8) + request.body.filter { (0x61...0x7A).contains($0) }
    guard let signature = try? WebhookSigner(cryptography: Checksums()).fields(for: own, by: scheme, id: "id") else { return }
    own.fields += signature
    guard case .genuine = verifier.verdict(on: own) else { preconditionFailure("\(scheme.name): what was signed is refused") }
    if case .gitlab = scheme { return }
    own.body[own.body.count - 1] ^= 1
    if case .genuine = verifier.verdict(on: own) { preconditionFailure("\(scheme.name): another body is taken") }
}

/// The first line is the target, then come fields until an empty line, then the body.
private func request(from input: ArraySlice<UInt8>) -> WebhookRequest {
    let lines = input.split(separator: UInt8(ascii: "\n"), maxSplits: 16, omittingEmptySubsequences: false)
    var fields: [WebhookField] = []
    var body: [UInt8] = []
    for (place, line) in lines.enumerated().dropFirst() {
        guard !line.isEmpty, place < 16 else {
            body = Array(lines[place...].joined(separator: [UInt8(ascii: "\n")]))
            break
        }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.startIndex
        fields.append(
            WebhookField(
                String(decoding: line[..<colon], as: UTF8.self),
                String(decoding: line[colon...].dropFirst().drop { $0 == 0x20 }, as: UTF8.self)))
    }
    return WebhookRequest(
        method: "POST", target: String(decoding: lines.first ?? [], as: UTF8.self), origin: "https://h.example:443",
        fields: fields, body: body, address: "192.0.2.7", receivedAt: Timestamp(secondsSinceEpoch: 1_000))
}

private let secret = Array("a secret that no fuzzer finds".utf8)
private let schemes: [WebhookScheme] = [
    .standardWebhooks(sharedKeys: [secret], publicKeys: [secret]), .svix(sharedKeys: [secret], publicKeys: []),
    .github(secrets: [secret]), .stripe(secrets: [secret]), .slack(secrets: [secret]), .inkbox(secrets: [secret]),
    .shopify(secrets: [secret]), .gitlab(tokens: [secret]), .twilio(secrets: [secret]), .discord(publicKeys: [secret]),
]

/// Stands in for a cryptographic library, which is not what is fuzzed: wide enough that chance does not hit it.
private struct Checksums: WebhookCryptography {
    func sha256(_ bytes: [UInt8]) -> [UInt8] { (0..<4).flatMap { sum(bytes, seed: UInt64($0)) } }

    func authenticationCode(_ hash: WebhookHash, for message: [UInt8], key: [UInt8]) -> [UInt8] {
        sha256(key + [0xFF] + message + [0xFE] + key)
    }

    func isSignature(_ signature: [UInt8], of message: [UInt8], publicKey: [UInt8]) -> Bool { false }
    func signature(of message: [UInt8], seed: [UInt8]) -> [UInt8]? { nil }

    /// FNV-1a, mixed at the end.
    private func sum(_ bytes: [UInt8], seed: UInt64) -> [UInt8] {
        var state = 0xCBF2_9CE4_8422_2325 &+ seed &* 0x9E37_79B9_7F4A_7C15
        for byte in bytes { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        state ^= state >> 29
        state = state &* 0xBF58_476D_1CE4_E5B9
        state ^= state >> 32
        return (0..<8).map { UInt8(truncatingIfNeeded: state >> (8 * $0)) }
    }
}
