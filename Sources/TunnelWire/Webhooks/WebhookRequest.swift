package import TunnelDomain

/// A webhook as it came in: what its sender signed is in here, byte for byte.
package struct WebhookRequest: Sendable {
    package var method: String
    /// Path and query as sent.
    package var target: String
    /// Scheme and host that the sender called, such as `https://hooks.example`; some senders sign the whole URL.
    package var origin: String
    /// In order, repeats kept, names in lower case.
    package var fields: [WebhookField]
    /// The raw bytes: parsing and writing them again would break every signature.
    package var body: [UInt8]
    /// The sender's IP address as text.
    package var address: String
    /// The subject of the client certificate that the connection was made with, or nil.
    package var certificateSubject: String?
    /// Tolerances count from here, however long the event waits afterwards.
    package var receivedAt: Timestamp

    package init(
        method: String, target: String, origin: String, fields: [WebhookField], body: [UInt8], address: String,
        certificateSubject: String? = nil, receivedAt: Timestamp
    ) {
        self.method = method
        self.target = target
        self.origin = origin
        self.fields = fields
        self.body = body
        self.address = address
        self.certificateSubject = certificateSubject
        self.receivedAt = receivedAt
    }

    /// The value of a field that stands exactly once. A repeated field is no field: whoever checks one value and uses another
    /// one would be fooled.
    package func only(_ name: String) -> String? {
        var found: String?
        for field in fields where field.name == name {
            guard found == nil else { return nil }
            found = field.value
        }
        return found
    }

    package var url: String { origin + target }

    package var path: String { String(target.prefix { $0 != "?" }) }

    /// What follows the first `?`, or nil.
    package var query: String? {
        guard let mark = target.firstIndex(of: "?") else { return nil }
        return String(target[target.index(after: mark)...])
    }
}

/// One header field of a webhook.
package struct WebhookField: Sendable, Hashable {
    /// In lower case.
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}
