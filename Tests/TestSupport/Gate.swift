/// Holds whoever arrives until it is opened, and lets a test wait for the first arrival.
package actor Gate {
    private var isOpen = false
    private var hasArrival = false
    private var held: [CheckedContinuation<Void, Never>] = []
    private var watchers: [CheckedContinuation<Void, Never>] = []

    package init() {}

    package func arrive() async {
        hasArrival = true
        for watcher in watchers { watcher.resume() }
        watchers = []
        if !isOpen { await withCheckedContinuation { held.append($0) } }
    }

    package func someoneArrived() async {
        if !hasArrival { await withCheckedContinuation { watchers.append($0) } }
    }

    package func open() {
        isOpen = true
        for one in held { one.resume() }
        held = []
    }
}
