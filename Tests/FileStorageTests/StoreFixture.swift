import FileStorage
import Foundation
import TestSupport
import Testing
import TunnelDomain
import TunnelService

/// A data directory of its own for each test, removed afterwards.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "culvert-store-\(UUID().uuidString)").path()
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Makes the store, or opens the one that is there.
    func openStore(pageCountMax: Int? = nil) throws -> SQLiteStore {
        try SQLiteStore.open(in: DataDirectory.make(at: path), creating: true, pageCountMax: pageCountMax)
    }

    var storePath: String { path + "/" + SQLiteStore.fileName }
}

/// The stores that keep the same contract.
enum StoreKind: CaseIterable {
    case file, memory

    /// A store with one organization in it.
    func make() async throws -> StoreUnderTest {
        let folder = try TemporaryDirectory()
        let store: any TunnelStore =
            switch self {
            case .file: try folder.openStore()
            case .memory: MemoryStore()
            }
        try await store.write { try $0.insert(Sample.organization()) }
        return StoreUnderTest(store: store, folder: folder)
    }
}

/// A store that holds on to its folder.
struct StoreUnderTest: TunnelStore {
    var store: any TunnelStore
    var folder: TemporaryDirectory

    func read<Answer: Sendable>(_ body: @Sendable (any StoreReading) throws -> Answer) async throws -> Answer {
        try await store.read(body)
    }

    func write<Answer: Sendable>(_ body: @Sendable (any StoreWriting) throws -> Answer) async throws -> Answer {
        try await store.write(body)
    }
}

/// Records with plausible contents; times count seconds from the same moment.
enum Sample {
    static let organizationID = organizationID("org_1")
    static let now = Timestamp(secondsSinceEpoch: 1_795_219_200)

    static func organizationID(_ text: String) -> OrganizationID {
        guard let id = OrganizationID(text) else { preconditionFailure("\(text) is no organization") }
        return id
    }

    static func organization(_ id: OrganizationID = organizationID) -> Organization {
        Organization(id: id, createdAt: now)
    }

    static func id(_ number: Int) -> UUIDValue { UUIDValue(high: 7, low: UInt64(number)) }

    static func tunnel(
        _ number: Int, name: String? = nil, organizationID: OrganizationID = organizationID, tlsMode: TLSMode = .edge,
        createdAfter seconds: Int64? = nil
    ) throws -> Tunnel {
        try Tunnel.create(
            id: TunnelID(id(number)), organizationID: organizationID,
            name: TunnelName(validating: name ?? "agent-\(number)"),
            description: number.isMultiple(of: 2) ? "Tunnel “\(number)”" : nil, metadataJSON: #"{"n":1}"#, tlsMode: tlsMode,
            connectSecretHash: [UInt8](repeating: UInt8(number % 256), count: 32),
            at: now + .seconds(seconds ?? Int64(number)))
    }

    static func apiKey(_ number: Int, organizationID: OrganizationID = organizationID) -> APIKeyRecord {
        APIKeyRecord(
            id: id(number), organizationID: organizationID, label: "key \(number)",
            hash: [UInt8](repeating: UInt8(number), count: 32), displayPrefix: "ApiKey_abc", last4: "wxyz",
            createdBy: "culvertd", createdAt: now, updatedAt: now)
    }

    static func app(_ number: Int, organizationID: OrganizationID = organizationID) -> AppRecord {
        AppRecord(
            id: AppID(id(number)), organizationID: organizationID, name: "app “\(number)”",
            scopes: number.isMultiple(of: 2) ? [.readTunnels, .readAudit] : [],
            secretHash: [UInt8](repeating: UInt8(number), count: 32), secretLast4: "abcd", createdBy: "k", createdAt: now,
            updatedAt: now + .seconds(1), secretRotatedAt: number.isMultiple(of: 3) ? now + .seconds(2) : nil)
    }

    static func audit(
        _ number: Int, _ action: AuditAction = .tunnelCreate, actor: String = "k1", resource: String = "t1",
        of organizationID: OrganizationID = organizationID, at second: Int64 = 0
    ) -> ChainedAuditEntry {
        let entry = AuditEntry(
            id: id(number), occurredAt: now + .seconds(second), action: action, organizationID: organizationID,
            actor: AuditActor(kind: .apiKey, id: actor, label: "“\(actor)”"), resourceType: .tunnel, resourceID: resource,
            ip: number.isMultiple(of: 2) ? "192.0.2.7" : nil, requestID: number.isMultiple(of: 3) ? nil : "r",
            detailsJSON: #"{"n":\#(number)}"#)
        return ChainedAuditEntry(
            sequence: Int64(number), entry: entry, previousHash: [UInt8](repeating: 0, count: 32),
            hash: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 32))
    }
}

struct BodyFailure: Error {}
