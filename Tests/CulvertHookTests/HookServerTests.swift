import Testing

@testable import culvert_hook

struct HookServerTests {
    @Test(arguments: [(0, 0), (1, 0), (2, 1), (1_024, 512), (8_191, 4_095), (8_192, 4_096), (1 << 20, 4_096), (Int.max, 4_096)])
    func `strangers get half of the descriptors, and 4,096 connections at most`(descriptorCount: Int, connectionCount: Int) {
        #expect(HookServer.connectionsMax(ofDescriptors: descriptorCount) == connectionCount)
    }
}
