internal import Glibc

/// How programs end.
package enum ProcessExit {
    /// Ends the process at once, once what stands in the C library's output buffers is written.
    ///
    /// `exit` would run the clean-up of the C libraries, OpenSSL's among them, beside the threads of event loops that still use
    /// what it frees. There is nothing that the kernel does not take back by itself.
    /// - Parameter status: 0...255.
    package static func end(_ status: Int32) -> Never {
        fflush(nil)
        _exit(status)
    }
}
