internal import TunnelDomain
internal import TunnelProfile
internal import TunnelWire

/// One native method, as calls are checked against it and as `rpc.discover` describes it.
struct Method: Sendable {
    struct Parameter: Sendable {
        var name: String
        var schema: JSON
        var isRequired = false

        static func required(_ name: String, _ schema: JSON) -> Parameter {
            Parameter(name: name, schema: schema, isRequired: true)
        }
        static func optional(_ name: String, _ schema: JSON) -> Parameter { Parameter(name: name, schema: schema) }
    }

    enum Run: Sendable {
        case now(@Sendable (Arguments) throws -> JSON)
        case later(@Sendable (Arguments) async throws -> JSON)
        /// May take as long as the client likes; runs beside the calls.
        case wait(@Sendable (Arguments) async throws -> JSON)
    }

    var name: String
    var summary: String
    /// In the order in which they may be given by position.
    var parameters: [Parameter] = []
    var result: JSON
    var run: Run

    /// The schema of all parameters as one object.
    var parameterSchema: JSON {
        let required = parameters.filter(\.isRequired).map(\.name)
        return .some([
            "type": .string("object"),
            "properties": .object(parameters.map { JSONMember($0.name, $0.schema) }),
            "required": required.isEmpty ? nil : .strings(required), "additionalProperties": .bool(false),
        ])
    }

    /// What the method does for these parameters.
    func work() -> Work {
        switch run {
        case .now(let work): .now { try work(arguments($0)) }
        case .later(let work): .later(.call) { try await work(arguments($0)) }
        case .wait(let work): .later(.wait) { try await work(arguments($0)) }
        }
    }

    /// What the method answers, for arguments that were checked elsewhere.
    func perform(_ arguments: Arguments) async throws -> JSON {
        switch run {
        case .now(let work): try work(arguments)
        case .later(let work), .wait(let work): try await work(arguments)
        }
    }

    private func arguments(_ call: Call) throws -> Arguments {
        Arguments(members: try checked(try named(call.params)), report: call.report)
    }

    /// Members that any method takes: they speak of the call, not of its subject.
    static let envelopeMembers: Set<String> = ["workDoneToken", "_meta"]

    private func named(_ params: JSONRPCParams) throws -> JSON {
        switch params {
        case .none: return .object([])
        case .named(let members): return .object(members.filter { !Self.envelopeMembers.contains($0.name) })
        case .positional(let values):
            guard values.count <= parameters.count else {
                throw JSONRPCError.invalidParams("\(name) takes at most \(parameters.count) parameters, not \(values.count)")
            }
            // By position, null leaves an optional parameter out.
            let pairs = zip(parameters, values).filter { $0.isRequired || $1 != .null }
            return .object(pairs.map { JSONMember($0.name, $1) })
        }
    }

    /// The value when it is as the schema says.
    func checked(_ value: JSON) throws -> JSON {
        let problems = Schema.problems(of: value, by: parameterSchema)
        guard let first = problems.first else { return value }
        throw JSONRPCError.invalidParams(
            "\(name): \(Printable.text(String(first.pointer.dropFirst()), characterCountMax: 80)) \(first.detail)",
            data: .members([
                "members": .array(
                    problems.prefix(20).map { .members(["pointer": .string($0.pointer), "detail": .string($0.detail)]) })
            ]))
    }
}

/// The parameters of a call, checked against the method's schema.
struct Arguments: Sendable {
    var members: JSON
    var report: (@Sendable (Progress) -> Void)?
    /// A model asks: it is shown no secrets, and must not find them out by asking for them either.
    var isForModel = false

    subscript(name: String) -> JSON? { members[name] }
    func string(_ name: String) -> String? { members[name]?.stringValue }
    func int(_ name: String) -> Int? { members[name]?.intValue }
    func flag(_ name: String) -> Bool { members[name]?.boolValue ?? false }

    /// A string that the schema requires.
    func text(_ name: String) throws -> String {
        guard let text = string(name) else { throw JSONRPCError.invalidParams("\(name) is missing") }
        return text
    }

    /// A moment in ISO 8601.
    func time(_ name: String) throws -> Timestamp? {
        guard let value = members[name] else { return nil }
        return try Self.time(value, name)
    }

    static func time(_ value: JSON, _ name: String) throws -> Timestamp {
        guard let text = value.stringValue, let time = Timestamp(iso8601: text) else {
            throw JSONRPCError.invalidParams("\(name) is no time such as 2026-04-21T12:30:00Z")
        }
        return time
    }
}
