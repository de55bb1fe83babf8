import Foundation
import Synchronization
import TunnelDomain
import TunnelService
import TunnelWire

/// One line of JSON for each thing that happens, on standard error. Fields never hold a secret or a payload.
final class HookLog: Sendable {
    private let clock: any WallClock
    private let turn = Mutex(())

    init(clock: any WallClock) { self.clock = clock }

    func note(_ event: String, _ fields: [(String, String)] = []) {
        let head = [("time", clock.now.iso8601), ("event", event)]
        let members = (head + fields).map { JSONMember($0.0, .string($0.1)) }
        let line = JSONValue.object(members).serialized + [UInt8(ascii: "\n")]
        // Lines of several threads must not mix.
        turn.withLock { _ in try? FileHandle.standardError.write(contentsOf: Data(line)) }
    }
}
