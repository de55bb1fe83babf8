internal import TunnelAgent
internal import TunnelProfile
internal import TunnelWire

/// What of a captured body is shown to those who have not asked for secrets, and all that a model's filter may look at.
enum ShownBody: Hashable {
    /// Without secrets; as it came when there are none.
    case text(String)
    /// The bytes as they are: no text, and nothing in them looks like a secret.
    case bytes
    /// Nothing, and why.
    case hidden(reason: String)

    init(_ body: CapturedBody, _ fields: [AgentField]) {
        // Secrets are found in text only. In a compressed body none can be seen, and all are there.
        if let coding = fields.first(where: { $0.name == "content-encoding" && $0.value.lowercased() != "identity" }) {
            self = .hidden(reason: "it is encoded as \(Printable.text(coding.value, characterCountMax: 40))")
            return
        }
        let contentType = fields.first { $0.name == "content-type" }?.value ?? ""
        if let text = body.text {
            let value = try? JSON(parsing: body.bytes)
            let isHarmless = value.map { Redaction.json($0) == $0 } ?? false
            self = .text(isHarmless ? text : Redaction.body(text, contentType: contentType))
            return
        }
        // As in UTF-16, where each letter has a zero beside it.
        let letters = String(decoding: body.bytes.filter { $0 != 0 }, as: UTF8.self)
        let isHarmless = Redaction.body(letters, contentType: contentType) == letters
        self = isHarmless ? .bytes : .hidden(reason: "it is no text, and holds what looks like a secret")
    }
}

extension CapturedBody {
    /// The bytes as text, or nil; the end of a body that was cut may be cut within a character.
    var text: String? {
        for dropped in 0...(isTruncated ? min(3, bytes.count) : 0) {
            let bytes = bytes.dropLast(dropped)
            if !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) { return text }
        }
        return nil
    }
}
