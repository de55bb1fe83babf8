internal import Glibc
internal import LinuxIO

/// The word to whoever started this program, by the protocol of `sd_notify(3)`; silent where nobody listens.
enum Supervisor {
    static func tell(_ text: String) {
        guard let path = getenv("NOTIFY_SOCKET").map({ String(cString: $0) }) else { return }
        Socket.sendDatagram(Array(text.utf8), toSocketAt: path)
    }

    /// What `RELOADING=1` is told with, so that a supervisor can tell an old answer from a new one.
    static var monotonicMicroseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}
