internal import Glibc

/// A descriptor with one owner, who closes it by letting go of it.
package struct FileDescriptor: ~Copyable, Sendable {
    package let number: Int32

    package init(number: Int32) { self.number = number }

    /// Gives the descriptor away: whoever gets the number must close it.
    package consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }

    deinit { _ = Glibc.close(number) }
}
