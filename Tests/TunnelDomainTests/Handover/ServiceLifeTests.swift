import TestSupport
import Testing
import TunnelDomain

struct ServiceLifeTests {
    typealias Event = ServiceLife.Event
    typealias State = ServiceLife.State

    /// How each state is reached.
    static let ways: [(state: State, mustEnd: Bool, events: [Event])] = [
        (.serving, false, []),
        (.resting(successor: 1), false, [asked]),
        (.resting(successor: 1), true, [asked, .terminated]),
        (.given(successor: 1), false, [asked, .rested(successor: 1)]),
        (.given(successor: 1), true, [asked, .rested(successor: 1), .terminated]),
        (.handedOver, false, [asked, .rested(successor: 1), .served(successor: 1)]),
        (.handedOver, true, [asked, .rested(successor: 1), .served(successor: 1), .terminated]),
        (.draining, true, [.terminated]),
        (.ended, true, [.terminated, .finished]),
    ]

    static let asked = Event.asked(successor: 1, version: ServiceLife.version)

    /// Of the successor that was asked for, and of another one.
    static let events: [Event] = [
        asked, .asked(successor: 2, version: ServiceLife.version), .asked(successor: 3, version: 99),
        .lost(successor: 1), .lost(successor: 2), .rested(successor: 1), .rested(successor: 2), .served(successor: 1),
        .served(successor: 2), .timeUp(successor: 1), .timeUp(successor: 2), .terminated, .finished,
    ]

    private static func life(_ events: [Event]) -> ServiceLife {
        var life = ServiceLife()
        for event in events { _ = life.receive(event) }
        return life
    }

    @Test func `every state is reached as said`() {
        for way in Self.ways {
            let life = Self.life(way.events)
            #expect(life.state == way.state)
            #expect(life.mustEnd == way.mustEnd)
        }
    }

    /// What each event does in each state; whatever is not named here does nothing.
    private static func expected(_ state: State, _ mustEnd: Bool, _ event: Event) -> (State, [ServiceLife.Action]) {
        switch (state, event) {
        case (.serving, .asked(let number, ServiceLife.version)): (.resting(successor: number), [.rest(successor: number)])
        case (.serving, .asked(let number, _)): (.serving, [.refuse(successor: number, .foreignVersion)])
        case (.resting, .asked(let number, _)), (.given, .asked(let number, _)):
            (state, [.refuse(successor: number, .busy)])
        case (.handedOver, .asked(let number, _)), (.draining, .asked(let number, _)), (.ended, .asked(let number, _)):
            (state, [.refuse(successor: number, .ending)])
        case (.resting(1), .rested(1)): (.given(successor: 1), [.give(successor: 1)])
        case (.given(1), .served(1)): (.handedOver, [.finishWork(hasSuccessor: true)])
        case (.resting(1), .lost(1)), (.given(1), .lost(1)):
            mustEnd ? (.draining, [.resume, .finishWork(hasSuccessor: false)]) : (.serving, [.resume])
        case (.resting(1), .timeUp(1)), (.given(1), .timeUp(1)):
            mustEnd
                ? (.draining, [.refuse(successor: 1, .late), .resume, .finishWork(hasSuccessor: false)])
                : (.serving, [.refuse(successor: 1, .late), .resume])
        case (.serving, .terminated): (.draining, [.finishWork(hasSuccessor: false)])
        case (.ended, .terminated): (.ended, [])
        case (_, .terminated): mustEnd ? (.ended, [.endAtOnce]) : (state, [])
        case (.handedOver, .finished), (.draining, .finished): (.ended, [.end])
        default: (state, [])
        }
    }

    @Test func `every event in every state does what the table says`() {
        for way in Self.ways {
            for event in Self.events {
                var life = Self.life(way.events)
                let actions = life.receive(event)
                let (state, expected) = Self.expected(way.state, way.mustEnd, event)
                #expect(life.state == state, "\(way.state) + \(event)")
                #expect(actions == expected, "\(way.state) + \(event)")
            }
        }
    }

    @Test func `a life that somebody has resumed serves as if nobody had asked`() {
        var life = Self.life([Self.asked, .rested(successor: 1), .lost(successor: 1)])
        #expect(life == ServiceLife())
        #expect(life.receive(.asked(successor: 2, version: ServiceLife.version)) == [.rest(successor: 2)])
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `whatever happens, the store has one writer and work ends once`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var life = ServiceLife()
        var isWriting = true
        var finishCount = 0
        var endCount = 0
        for _ in 0..<60 {
            guard let event = Self.events.randomElement(using: &random) else { return }
            for action in life.receive(event) {
                switch action {
                case .refuse: break
                case .rest:
                    #expect(isWriting)
                    isWriting = false
                case .give: #expect(!isWriting)
                case .resume:
                    #expect(!isWriting)
                    isWriting = true
                case .finishWork(let hasSuccessor):
                    #expect(isWriting != hasSuccessor)
                    finishCount += 1
                case .end, .endAtOnce: endCount += 1
                }
            }
        }
        #expect(finishCount <= 1 && endCount <= 1)
        if life.state == .ended { #expect(endCount == 1) }
    }
}
