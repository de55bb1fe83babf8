import TunnelDomain
import TunnelWire

/// Reads how a route's sender proves itself.
struct VerifyReader {
    let secrets: SecretReader

    enum Kind: String, CaseIterable {
        case standardWebhooks = "standard-webhooks"
        case culvert, svix, github, stripe, slack, inkbox, shopify, gitlab, twilio, discord, hmac, bearer, basic, mtls,
            addresses
        case none, all
    }

    struct Result {
        var scheme: WebhookScheme
        var seed: [UInt8]?
        var subjectField: (name: String, proxies: [IPRange])?
    }

    private static let common = ["kind", "secrets", "signingKey", "toleranceSeconds", "deliveryID", "replayWindowSeconds"]

    func read(_ reader: ConfigReader) -> Result? {
        guard case .object = reader.value else {
            reader.complain("an object such as {\"kind\": \"github\", \"secrets\": [{\"env\": \"GITHUB_SECRET\"}]} is needed")
            return nil
        }
        guard let kind = reader.required("kind")?.word(Kind.self) else { return nil }
        switch kind {
        case .standardWebhooks, .culvert, .svix: return standard(reader, kind)
        case .github: return plain(reader) { .github(secrets: $0) }
        case .stripe: return plain(reader) { .stripe(secrets: $0) }
        case .slack: return plain(reader) { .slack(secrets: $0) }
        case .inkbox: return plain(reader, .inkbox) { .inkbox(secrets: $0) }
        case .shopify: return plain(reader) { .shopify(secrets: $0) }
        case .gitlab: return plain(reader) { .gitlab(tokens: $0) }
        case .twilio: return plain(reader) { .twilio(secrets: $0) }
        case .bearer: return plain(reader) { .bearer(tokens: $0) }
        case .basic: return plain(reader) { .basic(credentials: $0) }
        case .discord: return discord(reader)
        case .hmac: return hmac(reader)
        case .mtls: return subject(reader)
        case .addresses: return addresses(reader)
        case .none:
            reader.isObject(of: ["kind", "deliveryID"])
            return Result(scheme: .none)
        case .all: return all(reader)
        }
    }

    private func keys(_ reader: ConfigReader, _ name: String, _ form: WebhookSecretForm) -> [[UInt8]]? {
        guard let list = reader.required(name) else { return nil }
        let elements = list.elements
        if elements.isEmpty, case .array = list.value { list.complain("at least one is needed") }
        let keys = elements.compactMap { element -> [UInt8]? in
            guard let text = secrets.text(element) else { return nil }
            guard let bytes = form.bytes(of: text) else {
                element.complain(Self.advice(on: form))
                return nil
            }
            return bytes
        }
        return keys.isEmpty ? nil : keys
    }

    /// Says what the secret should look like, and never what it is.
    private static func advice(on form: WebhookSecretForm) -> String {
        switch form {
        case .text, .inkbox: "the secret is empty"
        case .whsec: "the secret is not whsec_ and base64, as Standard Webhooks has it"
        case .whpk: "the key is not whpk_ and base64 of 32 bytes"
        case .whsk: "the key is not whsk_ and base64 of 32 or 64 bytes"
        case .hex: "the key is not hexadecimal"
        }
    }

    private func plain(
        _ reader: ConfigReader, _ form: WebhookSecretForm = .text, _ scheme: ([[UInt8]]) -> WebhookScheme
    ) -> Result? {
        reader.isObject(of: Self.common)
        return keys(reader, "secrets", form).map { Result(scheme: scheme($0)) }
    }

    private func standard(_ reader: ConfigReader, _ kind: Kind) -> Result? {
        reader.isObject(of: Self.common + ["publicKeys"])
        let shared = reader.member("secrets") == nil ? [] : keys(reader, "secrets", .whsec)
        let publicKeys = reader.member("publicKeys") == nil ? [] : keys(reader, "publicKeys", .whpk)
        guard let shared, let publicKeys else { return nil }
        guard !(shared.isEmpty && publicKeys.isEmpty) else {
            reader.complain("“secrets” or “publicKeys” is missing")
            return nil
        }
        let scheme: WebhookScheme =
            kind == .svix
            ? .svix(sharedKeys: shared, publicKeys: publicKeys)
            : .standardWebhooks(sharedKeys: shared, publicKeys: publicKeys)
        return Result(scheme: scheme, seed: seed(reader))
    }

    private func discord(_ reader: ConfigReader) -> Result? {
        reader.isObject(of: Self.common + ["publicKeys"])
        guard let publicKeys = keys(reader, "publicKeys", .hex) else { return nil }
        return Result(scheme: .discord(publicKeys: publicKeys), seed: seed(reader))
    }

    private func seed(_ reader: ConfigReader) -> [UInt8]? {
        guard let key = reader.member("signingKey"), let text = secrets.text(key) else { return nil }
        if let bytes = WebhookSecretForm.whsk.bytes(of: text) { return bytes }
        key.complain(Self.advice(on: .whsk))
        return nil
    }

    private func hmac(_ reader: ConfigReader) -> Result? {
        reader.isObject(of: Self.common + ["hash", "encoding", "header", "prefix", "signed", "timestampHeader"])
        let keys = keys(reader, "secrets", .text)
        let hash = reader.member("hash").map { $0.word(WebhookHash.self) } ?? .sha256
        let encoding = reader.member("encoding").map { $0.word(HMACSignature.Encoding.self) } ?? .hex
        let field = reader.required("header")?.fieldName
        let template = reader.member("signed").map { readTemplate($0) } ?? .body
        let timestamp = reader.member("timestampHeader")?.fieldName
        if let template, template.parts.contains(.timestamp), timestamp == nil {
            reader.complain("“signed” has {timestamp} in it, but there is no “timestampHeader”")
        }
        if let template, let timestamp, !template.signs(timestamp) {
            reader.complain(
                "“timestampHeader” is not signed, so anyone could make an old event new; put {timestamp} into “signed”")
        }
        guard let keys, let hash, let encoding, let field, let template else { return nil }
        let form = HMACSignature(
            hash: hash, encoding: encoding, field: field, prefix: reader.member("prefix")?.string ?? "", template: template,
            timestampField: timestamp)
        return Result(scheme: .hmac(form, secrets: keys))
    }

    private func readTemplate(_ reader: ConfigReader) -> SignatureTemplate? {
        guard let text = reader.string else { return nil }
        do {
            return try SignatureTemplate(parsing: text)
        } catch {
            reader.complain("\(error)")
            return nil
        }
    }

    private func ranges(_ reader: ConfigReader?) -> [IPRange] {
        (reader?.elements ?? []).compactMap { element in
            guard let text = element.string else { return nil }
            if let range = IPRange(text) { return range }
            element.complain("“\(text)” is no address range; one looks like 192.0.2.0/24 or 2001:db8::/32")
            return nil
        }
    }

    private func addresses(_ reader: ConfigReader) -> Result? {
        reader.isObject(of: ["kind", "ranges", "deliveryID"])
        let ranges = ranges(reader.required("ranges"))
        return ranges.isEmpty ? nil : Result(scheme: .addresses(ranges))
    }

    private func subject(_ reader: ConfigReader) -> Result? {
        reader.isObject(of: ["kind", "subjects", "subjectHeader", "proxies", "deliveryID"])
        guard let subjects = reader.required("subjects")?.strings, !subjects.isEmpty,
            let field = reader.required("subjectHeader")?.fieldName
        else { return nil }
        let proxies = ranges(reader.required("proxies"))
        guard !proxies.isEmpty else { return nil }
        return Result(scheme: .certificateSubject(subjects), subjectField: (field, proxies))
    }

    private func all(_ reader: ConfigReader) -> Result? {
        reader.isObject(of: ["kind", "of", "toleranceSeconds", "deliveryID", "replayWindowSeconds"])
        guard let parts = reader.required("of")?.elements else { return nil }
        guard !parts.isEmpty else {
            reader.complain("“of” is empty, which would let everybody in")
            return nil
        }
        let results = parts.map { read($0) }
        guard results.allSatisfy({ $0 != nil }) else { return nil }
        let found = results.compactMap { $0 }
        return Result(
            scheme: .all(found.map(\.scheme)), seed: found.lazy.compactMap(\.seed).first,
            subjectField: found.lazy.compactMap(\.subjectField).first)
    }
}
