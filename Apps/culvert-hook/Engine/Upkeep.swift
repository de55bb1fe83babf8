import FileStorage
import TunnelDomain
import TunnelService

/// What is done beside the events: wishes of other processes, and forgetting.
struct Upkeep {
    let inbox: Inbox
    let dispatcher: Dispatcher
    let clock: any WallClock
    let log: HookLog

    private static let wishPause: Duration = .milliseconds(200)
    /// Turns between one look at what may be forgotten and the next: about a minute.
    private static let turnsPerForgetting = 300
    private static let forgottenAtOnceMax = 1_000

    func run(_ retention: Duration) async {
        var turn = 0
        while !Task.isCancelled {
            do {
                for (id, wish) in try await inbox.openWishes() { try await dispatcher.fulfil(wish: id, wish) }
                if turn % Self.turnsPerForgetting == 0 {
                    while try await inbox.forget(
                        doneBefore: clock.now - retention, now: clock.now, countMax: Self.forgottenAtOnceMax)
                        == Self.forgottenAtOnceMax
                    {}
                }
            } catch {
                log.note("upkeep.failed", [("error", "\(error)")])
            }
            turn += 1
            try? await Task.sleep(for: Self.wishPause)
        }
    }
}

/// How a wish's outcome is told to the process that left it.
enum WishAnswer {
    static func text(of outcome: InboxWishOutcome) -> String {
        switch outcome {
        case .done(let run): "done \(run.id)"
        case .notFound: "not_found"
        case .refused(let refusal): "refused \(words(for: refusal))"
        }
    }

    private static func words(for refusal: RunRefusal) -> String {
        switch refusal {
        case .notWaiting: "it does not wait"
        case .notYetDue: "it is not due yet"
        case .notRunning: "it does not run"
        case .notDead: "it is not in the dead letter"
        case .ended: "it has ended already"
        }
    }
}
