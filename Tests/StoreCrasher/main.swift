import FileStorage
import Foundation
import TunnelDomain
import TunnelService

// Creates tunnels until it is killed, and prints the number of each one after the store has acknowledged it.
// Usage: store-crasher DATA-DIRECTORY FIRST-NUMBER [inbox]
// With "inbox" it does the same with events and runs of an inbox.

let arguments = CommandLine.arguments
if arguments.count == 4, arguments[3] == "inbox", let first = Int(arguments[2]) {
    try await InboxCrasher.run(at: arguments[1], from: first)
    exit(0)
}
guard arguments.count == 3, let first = Int(arguments[2]), let organizationID = OrganizationID("org_crash") else {
    print("usage: store-crasher DATA-DIRECTORY FIRST-NUMBER")
    exit(2)
}
let store = try SQLiteStore.open(in: DataDirectory.make(at: arguments[1]), creating: true)
let now = Timestamp(secondsSinceEpoch: 1_795_219_200)
try await store.write { store in
    guard try store.organization(organizationID) == nil else { return }
    try store.insert(Organization(id: organizationID, createdAt: now))
}

// Several at once, so that the kill meets commits that several changes share.
let workerCount = 6
try await withThrowingTaskGroup(of: Void.self) { group in
    for worker in 0..<workerCount {
        group.addTask {
            for number in stride(from: first + worker, to: first + 1_000_000, by: workerCount) {
                let tunnel = try Tunnel.create(
                    id: TunnelID(UUIDValue(high: 0, low: UInt64(number))), organizationID: organizationID,
                    name: TunnelName(validating: "agent-\(number)"), connectSecretHash: [1], at: now)
                try await store.write { store in
                    try store.insert(tunnel)
                    try store.recordSuccess(of: .tunnelCreate, for: tunnel.name.text, at: now)
                }
                // Straight to the pipe: what a buffer held would die with the process.
                try FileHandle.standardOutput.write(contentsOf: Data("\(number)\n".utf8))
            }
        }
    }
    try await group.waitForAll()
}
