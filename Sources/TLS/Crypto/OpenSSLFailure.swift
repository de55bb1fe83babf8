internal import COpenSSL

/// An OpenSSL call that failed: what was being done, and the reasons OpenSSL queued up.
package struct OpenSSLFailure: Error, Hashable, CustomStringConvertible {
    /// What was being done, as a phrase: `make an EC key`.
    package var attempt: String
    /// OpenSSL's own words, oldest first; empty when it gave none.
    package var reasons: [String]

    /// Takes this thread's queued errors, leaving the queue empty for the next call.
    package init(attempt: String) {
        self.attempt = attempt
        reasons = []
        while case let code = ERR_get_error(), code != 0 {
            guard let text = ERR_reason_error_string(code) else { continue }
            reasons.append(String(cString: text))
        }
    }

    package var description: String {
        reasons.isEmpty ? "could not \(attempt)" : "could not \(attempt): \(reasons.joined(separator: "; "))"
    }
}

/// Gives back a C pointer that a call returned, or says which call failed.
func checked<Pointer>(_ attempt: String, _ pointer: Pointer?) throws(OpenSSLFailure) -> Pointer {
    guard let pointer else { throw OpenSSLFailure(attempt: attempt) }
    return pointer
}

/// Passes when a C call returned 1, OpenSSL's word for success.
func check(_ attempt: String, _ status: Int32) throws(OpenSSLFailure) {
    guard status == 1 else { throw OpenSSLFailure(attempt: attempt) }
}
