import FileStorage
import Testing
import TunnelDomain
import TunnelService

@Suite struct GroupCommitTests {
    let folder: TemporaryDirectory
    let store: SQLiteStore

    init() async throws {
        folder = try TemporaryDirectory()
        store = try folder.openStore()
        try await store.write { try $0.insert(Sample.organization()) }
    }

    @Test func `changes that wait at once share commits`() async throws {
        let before = await store.commitCount
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask { [store] in try await store.write { try $0.insert(Sample.tunnel(number)) } }
            }
            try await group.waitForAll()
        }
        let commits = await store.commitCount - before
        #expect(commits >= 1 && commits < 200)
        #expect(try await store.read { try $0.livingTunnels().count } == 200)
    }

    @Test func `a change that fails takes nobody else's with it`() async throws {
        let outcomes = await withTaskGroup(of: (Int, Bool).self) { group in
            for number in 0..<120 {
                group.addTask { [store] in
                    do {
                        try await store.write { writing in
                            try writing.insert(Sample.tunnel(number))
                            if number.isMultiple(of: 3) { throw BodyFailure() }
                            // The name of a neighbour: refused, unless the neighbour itself has failed or not come yet.
                            if number % 3 == 1 { try writing.insert(Sample.tunnel(number + 1_000, name: "shared-name")) }
                        }
                        return (number, true)
                    } catch {
                        return (number, false)
                    }
                }
            }
            return await group.reduce(into: [Int: Bool]()) { $0[$1.0] = $1.1 }
        }
        let kept = Set(try await store.read { try $0.livingTunnels() }.map { $0.id })
        for (number, succeeded) in outcomes {
            #expect(kept.contains(TunnelID(Sample.id(number))) == succeeded, "\(number)")
        }
        #expect(outcomes.count == 120)
        #expect(outcomes.filter { $0.key % 3 == 1 && $0.value }.count == 1)
        #expect(outcomes.allSatisfy { $0.key % 3 == 2 ? $0.value : ($0.key % 3 == 1 || !$0.value) })
    }

    @Test func `what a reader sees has been committed`() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<50 {
                group.addTask { [store] in
                    try await store.write { try $0.insert(Sample.tunnel(number)) }
                    // An acknowledged change is there for the very next reader.
                    let found = try await store.read { try $0.tunnel(TunnelID(Sample.id(number))) }
                    #expect(found != nil)
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func `an organization must exist before anything belongs to it`() async throws {
        let stranger = Sample.organizationID("org_9")
        await #expect(throws: StoreError.constraint("FOREIGN KEY constraint failed")) {
            try await store.write { try $0.insert(Sample.tunnel(1, organizationID: stranger)) }
        }
    }

    @Test func `a closed store refuses and never hangs`() async throws {
        await store.close()
        await #expect(throws: StoreError.closed) { try await store.write { try $0.insert(Sample.tunnel(1)) } }
        await #expect(throws: StoreError.closed) { try await store.read { try $0.livingTunnels() } }
        await store.close()
    }

    @Test func `closing keeps what was begun`() async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<100 {
                group.addTask { [store] in
                    do {
                        try await store.write { try $0.insert(Sample.tunnel(number)) }
                        return true
                    } catch StoreError.closed {
                        return false
                    }
                }
            }
            group.addTask { [store] in
                await store.close()
                return false
            }
            let acknowledged = try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            let reopened = try SQLiteStore.open(in: DataDirectory(opening: copy(of: folder)))
            #expect(try await reopened.read { try $0.livingTunnels().count } == acknowledged)
        }
    }

    /// The store's file in a directory that nobody holds.
    private func copy(of folder: TemporaryDirectory) throws -> String {
        let target = folder.path + "/copy"
        let directory = try DataDirectory.make(at: target)
        try directory.write(readFile(folder.storePath), to: SQLiteStore.fileName)
        return target
    }
}
