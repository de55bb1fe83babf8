internal import CLinux

/// The allocator's settings for a process that moves bytes.
package enum Memory {
    /// Freed memory that is kept for the next buffer instead of going back to the system at once.
    private static let keptByteCount: Int32 = 8 * 1024 * 1024
    /// Larger blocks than this come from the system one by one.
    private static let ownMappingByteCount: Int32 = 1024 * 1024

    /// Keeps the allocator from giving buffers back to the system and fetching them again many times a second, which costs
    /// more than carrying their bytes. To be called first in `main`.
    package static func tuneForBuffers() {
        mallopt(M_TRIM_THRESHOLD, keptByteCount)
        mallopt(M_MMAP_THRESHOLD, ownMappingByteCount)
    }
}
