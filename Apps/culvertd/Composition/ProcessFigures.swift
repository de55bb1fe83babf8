import Foundation
import Glibc
import TunnelWire

/// What the system says about this process.
enum ProcessFigures {
    static func add(to page: inout MetricPage, startedAt start: Double) {
        page.add(.cpuSeconds, seconds: cpuSeconds)
        page.add(.residentBytes, count: residentByteCount)
        page.add(.openDescriptors, count: openDescriptorCount)
        page.add(.descriptorsMax, count: descriptorCountMax)
        page.add(.startSeconds, seconds: start)
        page.add(.build, Version.text, count: 1)
    }

    private static var cpuSeconds: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }

    /// The second number of `statm` counts pages (proc(5)).
    private static var residentByteCount: Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// Without the one that the listing takes.
    private static var openDescriptorCount: Int {
        max(0, ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count ?? 1) - 1)
    }

    private static var descriptorCountMax: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        return Int(clamping: limit.rlim_cur)
    }
}
