import TestSupport
import Testing
import TunnelDomain
import TunnelService

struct RecordAuthFailureTests {
    private func failure(_ harness: ServiceHarness, _ actor: Int) -> RecordAuthFailure.Failure {
        RecordAuthFailure.Failure(
            organizationID: harness.home.organization.id, actor: AuditActor(kind: .app, id: "app_\(actor)", label: "a"),
            reason: "the client secret is wrong", ip: "192.0.2.9", requestID: "req-9")
    }

    private func lines(_ harness: ServiceHarness) -> [AuditEntry] {
        harness.store.contents.audit.map(\.entry).filter { $0.action == .authFail }
    }

    @Test func `a credential gets one line a minute, which tells how many more there were`() async throws {
        let harness = try await ServiceHarness()
        let record = RecordAuthFailure(ports: harness.ports, instant: { [clock = harness.clock] in clock.instant })
        for _ in 0..<5 { await record(failure(harness, 1)) }
        await record(failure(harness, 2))
        harness.clock.advance(by: .seconds(60) - .microseconds(1))
        await record(failure(harness, 1))
        #expect(lines(harness).map(\.resourceID) == ["app_1", "app_2"])
        harness.clock.advance(by: .microseconds(1))
        await record(failure(harness, 1))
        let last = try #require(lines(harness).last)
        #expect(lines(harness).count == 3)
        #expect(last.detailsJSON == #"{"reason":"the client secret is wrong","more_since_last":"5"}"#)
        #expect(lines(harness).first?.detailsJSON == #"{"reason":"the client secret is wrong","more_since_last":"0"}"#)
        #expect((last.outcome, last.resourceType, last.actor.kind) == (.refused, .app, .app))
        #expect((last.ip, last.requestID) == ("192.0.2.9", "req-9"))
        #expect(last.organizationID == harness.home.organization.id)
    }

    @Test func `however many credentials fail, the lines of a minute are bounded`() async throws {
        let harness = try await ServiceHarness()
        let record = RecordAuthFailure(ports: harness.ports, instant: { [clock = harness.clock] in clock.instant })
        for number in 0..<500 { await record(failure(harness, number)) }
        #expect(lines(harness).count == RecordAuthFailure.inAll.limit)
        harness.clock.advance(by: .seconds(1))
        for number in 0..<500 { await record(failure(harness, number)) }
        #expect(lines(harness).count == RecordAuthFailure.inAll.limit + 1)
    }

    @Test func `a store that takes no writes fails nobody`() async throws {
        let harness = try await ServiceHarness()
        let record = RecordAuthFailure(ports: harness.ports, instant: { [clock = harness.clock] in clock.instant })
        harness.store.fail(writes: .full)
        await record(failure(harness, 1))
        harness.store.fail()
        #expect(lines(harness) == [])
        #expect(harness.auditFindings == [])
    }
}
