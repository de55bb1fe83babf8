internal import Testing
internal import TunnelClient

struct EventResumptionTests {
    private static let lost = ClientError.noAnswer(.connectionLost(reason: "reset"))

    private func event(_ id: String?) -> ReceivedEvent { ReceivedEvent(lastEventID: id, type: "t", data: "{}") }

    @Test func `pauses double up to half a minute and begin anew with a sign of life`() {
        var resumption = EventResumption(after: nil)
        let pauses = (0..<7).map { _ in resumption.pause(after: Self.lost) }
        #expect(pauses == [1, 2, 4, 8, 16, 30, 30].map { .seconds($0) })
        resumption.receivedSignOfLife()
        #expect(resumption.pause(after: Self.lost) == .seconds(1))
        _ = resumption.isNew(event("1"))
        #expect(resumption.pause(after: nil) == .seconds(1))
    }

    @Test func `the server's own pause is kept, even a long one`() {
        var resumption = EventResumption(after: nil)
        resumption.serverAsked(forPauseMilliseconds: 60_000)
        #expect(resumption.pause(after: Self.lost) == .seconds(60))
        #expect(resumption.pause(after: Self.lost) == .seconds(60))
        resumption.serverAsked(forPauseMilliseconds: 100)
        resumption.receivedSignOfLife()
        #expect(resumption.pause(after: Self.lost) == .milliseconds(100))
    }

    @Test func `an event that comes again is not new`() {
        var resumption = EventResumption(after: "4")
        let isNew = ["4", "5", "5", nil].map { resumption.isNew(event($0)) }
        #expect(isNew == [false, true, false, true])
        #expect(resumption.lastEventID == "5")
        resumption.moved(to: "9")
        #expect(resumption.lastEventID == "9")
    }

    @Test(
        arguments: [
            (.refused(ServerRefusal(status: 503, detail: "", retryAfterSeconds: 7)), .seconds(7)),
            (.refused(ServerRefusal(status: 429, detail: "")), .seconds(1)),
            (.refused(ServerRefusal(status: 500, detail: "")), .seconds(1)),
            (.noAnswer(.unreachable(reason: "")), .seconds(1)), (.noAnswer(.timedOut(afterSeconds: 60)), .seconds(1)),
            (.refused(ServerRefusal(status: 401, detail: "")), nil), (.refused(ServerRefusal(status: 403, detail: "")), nil),
            (.refused(ServerRefusal(status: 410, detail: "")), nil), (.noAnswer(.untrustedCertificate(reason: "")), nil),
            (.unusableAnswer(status: 200, reason: ""), nil), (.credentialUnusable(reason: ""), nil), (.cancelled, nil),
        ] as [(ClientError, Duration?)])
    func `only a failure that may pass is waited out`(failure: ClientError, pause: Duration?) {
        var resumption = EventResumption(after: nil)
        #expect(resumption.pause(after: failure) == pause)
    }
}
