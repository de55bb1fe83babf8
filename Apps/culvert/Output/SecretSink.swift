internal import FoundationEssentials
internal import TunnelClient
internal import TunnelProfile

/// Where secrets go that the server shows once: to standard output, or into a file that only its owner can read.
///
/// The file is made before the server is asked, so that a secret is not lost for want of a place to put it.
struct SecretSink {
    private let file: DraftFile?
    private let console: Console

    /// - Parameter path: of the file, or nil for standard output.
    init(path: String?, console: Console) throws(Complaint) {
        file = try path.map { path throws(Complaint) in try DraftFile.make(at: path) }
        self.console = console
    }

    /// A secret, what people call it, and the member of the JSON document that holds it.
    struct Secret {
        var name: String
        var member: String
        var text: String
    }

    /// Prints the document and hands the secrets over; one that cannot be written into its file is printed all the same.
    ///
    /// - Parameters:
    ///   - document: the server's answer, the secrets among its members; printed with `--json`.
    ///   - text: what people read, without the secrets.
    ///   - remark: what becomes of the secrets elsewhere, in whole sentences; may be empty.
    func deliver(
        _ secrets: [Secret], in document: some Encodable, _ text: String, remark: String = ""
    ) throws(Complaint) {
        var problem: Complaint?
        do throws(Complaint) {
            try file?.keep(Array(secrets.map { $0.text + "\n" }.joined().utf8))
        } catch { problem = error }
        let isInFile = file != nil && problem == nil
        if console.isJSON {
            console.printJSON(isInFile ? Self.hiding(secrets, in: document, file?.path) : JSONValue(document))
        } else {
            if !text.isEmpty { console.print(text) }
            tell(secrets, isInFile: isInFile, remark: remark)
        }
        if let problem { throw problem }
    }

    private func tell(_ secrets: [Secret], isInFile: Bool, remark: String) {
        let names = secrets.map(\.name).joined(separator: " and the ")
        let verb = secrets.count == 1 ? "is" : "are"
        if isInFile, let path = file?.path {
            console.note("The \(names) \(verb) in \(Printable.text(path)), which only you can read." + remark)
        } else {
            console.print(TextTable.details(secrets.map { ($0.name, $0.text) }))
            console.note("The server shows \(secrets.count == 1 ? "this secret" : "these secrets") once." + remark)
        }
    }

    private static func hiding(_ secrets: [Secret], in document: some Encodable, _ path: String?) -> JSONValue? {
        guard case .object(var members)? = JSONValue(document) else { return nil }
        for secret in secrets { members[secret.member] = nil }
        members["secret_file"] = path.map { .string($0) }
        return .object(members)
    }
}

extension JSONValue {
    /// A value as it is printed.
    fileprivate init?(_ value: some Encodable) {
        guard let bytes = try? ClientJSON.encoder().encode(value),
            let read = try? ClientJSON.decoder().decode(JSONValue.self, from: bytes)
        else { return nil }
        self = read
    }
}
