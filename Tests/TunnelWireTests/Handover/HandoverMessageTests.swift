import Testing
import TunnelDomain
import TunnelWire

struct HandoverMessageTests {
    private static let tunnel = "018f0000-0000-7000-8000-000000000001"

    @Test(arguments: [
        "ask 1", "refuse busy", "serving", "serving \(tunnel) \(tunnel)", "give 0", "give 3", "served", "requests a.localhost",
        "replies 0", "replies 255", "left \(tunnel)",
    ])
    func `a message is read as it was written`(text: String) throws {
        let message = try #require(HandoverMessage(Array(text.utf8)))
        #expect(message.bytes == Array(text.utf8))
    }

    @Test(arguments: [
        "", " ", "ask", "ask x", "ask 1 2", "refuse", "refuse ", "serving x", "give", "give -1", "give x", "served now",
        "requests",
        "requests ", "requests a b", "replies", "replies -1", "left", "left x", "hello", "ask  1", "ask 1\n", "ask \u{e9}",
    ])
    func `what is no message is none`(text: String) {
        #expect(HandoverMessage(Array(text.utf8)) == nil)
    }

    @Test func `a message names so many tunnels and no more`() throws {
        let tunnel = try #require(TunnelID(Self.tunnel))
        let most = HandoverMessage.serving(Array(repeating: tunnel, count: HandoverMessage.tunnelCountMax))
        #expect(HandoverMessage(most.bytes) == most)
        let more = HandoverMessage.serving(Array(repeating: tunnel, count: HandoverMessage.tunnelCountMax + 1))
        #expect(HandoverMessage(more.bytes) == nil)
    }
}
