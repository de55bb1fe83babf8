@testable import culvertd
import Synchronization
import TestSupport
import Testing
import TunnelAPI
import TunnelDomain
import TunnelWire

@Suite struct ServiceLogTests {
    private func lines(_ format: ServiceLog.Format, _ note: (ServiceLog) -> Void) -> [String] {
        let written = Lines()
        note(ServiceLog(format: format, clock: ManualClock(Timestamp(secondsSinceEpoch: 0))) { written.add($0) })
        return written.all
    }

    private final class Lines: Sendable {
        private let kept = Mutex<[String]>([])
        func add(_ line: String) { kept.withLock { $0.append(line) } }
        var all: [String] { kept.withLock { $0 } }
    }

    @Test func `a line has time, level, event and fields`() {
        let text = lines(.text) { $0.note("tunnel.connected", [("tunnel", "t-1"), ("ip", "::1")]) }
        #expect(text == ["1970-01-01T00:00:00Z info tunnel.connected tunnel=t-1 ip=::1\n"])
        let json = lines(.json) { $0.note("sweep.failed", [("reason", "disk \"full\"")], level: .warning) }
        let expected = #"{"time":"1970-01-01T00:00:00Z","level":"warning","event":"sweep.failed","reason":"disk \"full\""}"#
        #expect(json == [expected + "\n"])
    }

    @Test(arguments: [
        "a\nb", "a\r\n2026 info forged=1", "x=1 y=2", "\"", "\\", "\u{1b}[2J", "\u{202e}evil", "\u{2028}", "\0", "", " ",
    ])
    func `no value can forge a line or a field`(value: String) throws {
        for format in ServiceLog.Format.allCases {
            let line = try #require(lines(format) { $0.note("e.v", [("a", value), ("b", "2")]) }.first)
            #expect(line.hasSuffix("\n"))
            let body = line.dropLast()
            #expect(!body.unicodeScalars.contains { $0.value < 0x20 })
            switch format {
            case .json:
                let parsed = try JSONValue(parsing: Array(body.utf8))
                #expect(parsed["a"] == .string(value))
                #expect(parsed["b"] == .string("2"))
            case .text:
                #expect(body.hasSuffix(" b=2"))
                #expect(body.hasPrefix("1970-01-01T00:00:00Z info e.v a=\""))
                #expect(!body.unicodeScalars.contains { $0 == "\u{202e}" || $0 == "\u{2028}" })
            }
        }
    }
}
