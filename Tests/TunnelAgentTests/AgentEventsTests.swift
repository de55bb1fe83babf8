import Testing

@testable import TunnelAgent

private func reconnecting(_ number: Int) -> AgentEvent { .reconnecting(after: .zero, reason: "\(number)") }

@Test func `events come in order, one at a time or as many as there are`() async {
    let outbox = AgentOutbox(eventsBufferedMax: 10)
    outbox.put([reconnecting(1), reconnecting(2)])
    outbox.put([reconnecting(3)])
    #expect(await outbox.events.nextBatch() == [reconnecting(1), reconnecting(2), reconnecting(3)])
    outbox.put([reconnecting(4), reconnecting(5)])
    outbox.finish()
    var rest: [AgentEvent] = []
    for await event in outbox.events { rest.append(event) }
    #expect(rest == [reconnecting(4), reconnecting(5)])
    #expect(await outbox.events.nextBatch() == nil)
}

@Test func `the oldest events are dropped when nobody reads`() async {
    let outbox = AgentOutbox(eventsBufferedMax: 10)
    for number in 0..<25 { outbox.put([reconnecting(number)]) }
    #expect(await outbox.events.nextBatch() == (15..<25).map(reconnecting))
}

@Test func `a reader is woken by the first event`() async {
    let outbox = AgentOutbox(eventsBufferedMax: 10)
    async let batch = outbox.events.nextBatch()
    outbox.put([reconnecting(1)])
    #expect(await batch == [reconnecting(1)])
}
