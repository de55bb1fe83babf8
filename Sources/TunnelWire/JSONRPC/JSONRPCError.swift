/// Why a call has no result (JSON-RPC 2.0 section 5.1).
package struct JSONRPCError: Error, Sendable, Hashable {
    package var code: Int
    /// One sentence for people.
    package var message: String
    /// Details for programs.
    package var data: JSONValue?

    package init(code: Int, message: String, data: JSONValue? = nil) {
        self.code = code
        self.message = message
        self.data = data
    }
}

extension JSONRPCError {
    /// Codes of JSON-RPC 2.0 section 5.1.
    package enum Code {
        package static let parseError = -32700
        package static let invalidRequest = -32600
        package static let methodNotFound = -32601
        package static let invalidParams = -32602
        package static let internalError = -32603
        /// The caller took the call back (`RequestCancelled` of the Language Server Protocol).
        package static let cancelled = -32800
    }

    package static func parseError(_ why: String) -> JSONRPCError { JSONRPCError(code: Code.parseError, message: why) }
    package static func invalidRequest(_ why: String) -> JSONRPCError {
        JSONRPCError(code: Code.invalidRequest, message: why)
    }
    package static func methodNotFound(_ why: String) -> JSONRPCError {
        JSONRPCError(code: Code.methodNotFound, message: why)
    }
    package static func invalidParams(_ why: String, data: JSONValue? = nil) -> JSONRPCError {
        JSONRPCError(code: Code.invalidParams, message: why, data: data)
    }
    package static func internalError(_ why: String) -> JSONRPCError { JSONRPCError(code: Code.internalError, message: why) }
    package static let cancelled = JSONRPCError(code: Code.cancelled, message: "the call was cancelled")

    package var json: JSONValue {
        var members = [JSONMember("code", .integer(code)), JSONMember("message", .string(message))]
        if let data { members.append(JSONMember("data", data)) }
        return .object(members)
    }

    /// Reads an error object; nil when it is none.
    init?(_ value: JSONValue) {
        guard case .number(let digits)? = value["code"], let code = Int(digits), let message = value["message"]?.stringValue
        else { return nil }
        self.init(code: code, message: message, data: value["data"])
    }
}
