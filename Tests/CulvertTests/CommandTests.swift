internal import Foundation
internal import Testing
internal import TunnelClient
internal import TunnelProfile
@testable internal import culvert

struct CommandTests {
    @Test(
        arguments: [
            (401, .authentication), (403, .authentication), (404, .notFound), (409, .conflict), (422, .usage),
            (429, .rateLimited),
            (500, .failure),
        ] as [(Int, ExitCode)])
    func `a refusal becomes an exit code`(status: Int, code: ExitCode) throws {
        let refusal = ServerRefusal(status: status, detail: "because", requestID: "r-1", retryAfterSeconds: 90)
        let complaint = Complaint(.refused(refusal), act: "create the tunnel x", server: try server())
        #expect(complaint.exitCode == code)
        #expect(complaint.message == "could not create the tunnel x: because")
        #expect(Console.text(complaint).contains("(request r-1)"))
    }

    @Test func `too many is told with the time to wait`() throws {
        let refusal = ServerRefusal(status: 429, detail: "10 a day", retryAfterSeconds: 3_600)
        #expect(Complaint(.refused(refusal), act: "a", server: try server()).advice == "Try again in 60 minutes.")
    }

    @Test(
        arguments: [
            (.unreachable(reason: "connect: Connection refused"), "Is the server running"),
            (.untrustedCertificate(reason: "self-signed"), "--ca-file"), (.connectionLost(reason: "reset"), "tunnels list"),
            (.timedOut(afterSeconds: 30), "tunnels list"),
        ] as [(TransportFailure, String)])
    func `a server that cannot be reached is told with what to do`(failure: TransportFailure, advice: String) throws {
        let complaint = Complaint(.noAnswer(failure), act: "a", server: try server())
        #expect(complaint.exitCode == .unreachable)
        #expect(complaint.advice.contains(advice))
    }

    @Test func `a server cannot move the cursor`() throws {
        let refusal = ServerRefusal(status: 409, detail: "taken\u{1B}[2J\r\nculvert: all is well", requestID: "a\nb")
        let text = Console.text(Complaint(.refused(refusal), act: "a", server: try server()))
        #expect(!text.contains("\u{1B}") && !text.contains("\r") && !text.contains("\n"))
    }

    @Test func `a server without an HTTPS listener is told how to get one`() throws {
        #expect(Complaint(.missingListener, server: try server()).advice.contains("--https"))
    }

    @Test(arguments: ["0", "33", "-1", "many", "1.5"])
    func `a pool size out of range is refused`(text: String) {
        #expect(throws: Complaint.self) { try TunnelArgument.poolSize(text) }
    }

    @Test(arguments: [("1", 1), ("32", 32)])
    func `a pool size at either end is taken`(text: String, size: Int) throws {
        #expect(try TunnelArgument.poolSize(text) == size)
    }

    @Test func `an update says what to set and what to clear`() throws {
        let words = try ParsedWords(["tunnels", "update", "a", "--clear-description", "--metadata", #"{"a": 1}"#])
        #expect(try TunnelArgument.change(words) == TunnelChange(description: .clear, metadata: .set(["a": .integer(1)])))
    }

    @Test(arguments: [
        ["tunnels", "update", "a"], ["tunnels", "update", "a", "--metadata", "[1]"],
        ["tunnels", "update", "a", "--description", "x", "--clear-description"],
        ["tunnels", "update", "a", "--metadata", "{}", "--clear-metadata"],
    ])
    func `an update that contradicts itself or changes nothing is refused`(words: [String]) throws {
        let parsed = try ParsedWords(words)
        #expect(throws: Complaint.self) { try TunnelArgument.change(parsed) }
    }

    @Test(
        arguments: [(.milliseconds(0), "0 ms"), (.milliseconds(999), "999 ms"), (.milliseconds(1_250), "1.2 s")]
            as [(Duration, String)])
    func `durations are short`(duration: Duration, text: String) { #expect(AgentLog.text(duration) == text) }

    private func server() throws -> ServerURL { try ServerURL(validating: "https://tunnels.example") }
}
