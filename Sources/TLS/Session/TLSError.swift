internal import COpenSSL

/// What went wrong in a TLS operation, in OpenSSL's words.
package struct TLSError: Error, Hashable, Sendable, CustomStringConvertible {
    package let operation: String
    /// OpenSSL's reason, such as `certificate verify failed`; empty when it gave none.
    package let reason: String

    package init(operation: String, reason: String) {
        self.operation = operation
        self.reason = reason
    }

    package var description: String { reason.isEmpty ? operation : "\(operation): \(reason)" }

    /// Takes the oldest error off OpenSSL's queue of this thread and empties the rest.
    static func last(_ operation: String) -> TLSError {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let text = ERR_reason_error_string(code) else { return TLSError(operation: operation, reason: "") }
        return TLSError(operation: operation, reason: String(cString: text))
    }
}
