import FileStorage
import Testing
import TunnelService

@Suite struct FullStoreTests {
    @Test func `a full store refuses, keeps what it has, and works again once there is room`() async throws {
        let folder = try TemporaryDirectory()
        let acknowledged = try await fill(folder, pageCountMax: 100)
        let store = try folder.openStore()
        try await store.write { try $0.insert(Sample.tunnel(3_000)) }
        #expect(try await store.read { try $0.livingTunnels().count } == acknowledged + 1)
    }

    /// Inserts until the store refuses, and gives back how many tunnels it took.
    private func fill(_ folder: TemporaryDirectory, pageCountMax: Int) async throws -> Int {
        let small = try folder.openStore(pageCountMax: pageCountMax)
        try await small.write { try $0.insert(Sample.organization()) }
        var acknowledged: [Int] = []
        var refusal: StoreError?
        for number in 0..<2_000 where refusal == nil {
            do {
                try await small.write { try $0.insert(Sample.tunnel(number)) }
                acknowledged.append(number)
            } catch let error as StoreError {
                refusal = error
            }
        }
        #expect(refusal == .full)
        let count = acknowledged.count
        #expect(count > 0)
        #expect(try await small.read { try $0.livingTunnels().count } == count)
        await #expect(throws: StoreError.full) {
            try await small.write { store in for number in 5_000..<5_100 { try store.insert(Sample.tunnel(number)) } }
        }
        await small.close()
        return count
    }
}
