import TestSupport
import Testing
import TunnelDomain
import TunnelService

@testable import FileStorage

/// The audit trail read from the file, as `culvertd audit` does.
@Suite struct AuditArchiveTests {
    let folder: TemporaryDirectory
    let ports: ServicePorts
    let store: SQLiteStore

    init() async throws {
        folder = try TemporaryDirectory()
        store = try folder.openStore()
        ports = ServicePorts(
            store: store, clock: ManualClock(Sample.now), randomness: MemoryRandomness(), hasher: MemoryHasher(),
            sealer: MemorySealer(), issuer: nil, events: MemoryEvents(), presence: MemoryPresence())
        // Two lines for each.
        for _ in 0..<5 { _ = try await CreateOrganization(ports: ports)() }
    }

    private func findings() throws -> [AuditFinding] {
        let archive = try AuditArchive(dataDirectory: folder.path)
        var verification = AuditVerification(hasher: ports.hasher)
        try archive.forEachLine { verification.take($0) }
        verification.finish(sealedHead: try archive.sealedHead(), sealer: ports.sealer)
        return verification.findings
    }

    private func tamper(_ sql: String) throws {
        try SQLiteConnection(path: folder.storePath, mode: .readWrite).execute(script: sql)
    }

    @Test func `a trail verifies while its service runs, and after it`() async throws {
        #expect(try findings() == [])
        _ = try await CreateOrganization(ports: ports)()
        #expect(try findings() == [])
        await store.close()
        #expect(try findings() == [])
        #expect(try AuditArchive(dataDirectory: folder.path).lineCount() == 12)
    }

    @Test(
        arguments: [
            ("UPDATE audit_entries SET actor_label = 'nobody' WHERE sequence = 4", [.edited(4)]),
            ("UPDATE audit_entries SET ip = '192.0.2.1' WHERE sequence = 1", [.edited(1)]),
            ("DELETE FROM audit_entries WHERE sequence = 4", [.missing(4...4)]),
            ("DELETE FROM audit_entries WHERE sequence < 3", [.missing(1...2)]),
            ("DELETE FROM audit_entries WHERE sequence > 8", [.cutOff(9...10)]),
            ("DELETE FROM audit_entries", [.cutOff(1...10)]),
            (
                """
                UPDATE audit_entries SET sequence = 99 WHERE sequence = 4;
                UPDATE audit_entries SET sequence = 4 WHERE sequence = 5;
                UPDATE audit_entries SET sequence = 5 WHERE sequence = 99
                """, [.unconnected(4), .unconnected(5), .unconnected(6)]
            ),
            ("DELETE FROM audit_head", [.headMissing]), ("UPDATE audit_head SET sealed = x'00'", [.headUnreadable]),
        ] as [(String, [AuditFinding])])
    func `what is done to the file is found, beside a running service`(sql: String, expected: [AuditFinding]) throws {
        try tamper(sql)
        #expect(try findings() == expected)
    }

    @Test func `a trail of several batches is read to its end`() async throws {
        try await store.write { store in
            for number in 11...2_500 { try store.append(Sample.audit(number)) }
        }
        #expect(try AuditArchive(dataDirectory: folder.path).lineCount() == 2_500)
    }

    @Test func `a directory without a store, and one of an older version, are told`() async throws {
        let empty = try TemporaryDirectory()
        #expect(throws: StoreOpenError.notInitialized(path: empty.storePath)) { try AuditArchive(dataDirectory: empty.path) }
        await store.close()
        try tamper("PRAGMA user_version = 1")
        #expect(throws: StoreOpenError.olderSchema(path: folder.storePath)) { try AuditArchive(dataDirectory: folder.path) }
        try tamper("PRAGMA user_version = 99")
        #expect(throws: StoreOpenError.self) { try AuditArchive(dataDirectory: folder.path) }
    }
}

extension AuditArchive {
    fileprivate func lineCount() throws -> Int {
        var count = 0
        try forEachLine { _ in count += 1 }
        return count
    }
}
