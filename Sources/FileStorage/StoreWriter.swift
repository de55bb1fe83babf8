internal import TunnelDomain
internal import TunnelService

/// The only writer of the file. Changes that wait at the same moment share one commit, and so one wait for the disk.
///
/// The commit is a job at the end of the thread's queue: whatever was waiting before it joins the open transaction. Each change
/// has a savepoint, so that one which fails takes nobody else's with it.
actor StoreWriter {
    private let thread: StoreThread
    private var connection: SQLiteConnection?
    private var waiting: [CheckedContinuation<Void, any Error>] = []
    private var isCommitQueued = false
    /// Commits that reached the disk; a test reads how many changes shared one.
    private(set) var commitCount = 0
    private var failedCommitCount = 0
    private var commitTimes = DurationHistogram(.commits)

    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    init(connection: sending SQLiteConnection) {
        thread = StoreThread()
        self.connection = connection
    }

    /// Runs the body and returns once its changes are on the disk.
    func perform<Answer: Sendable>(_ body: @Sendable (SQLiteTransaction) throws -> Answer) async throws -> Answer {
        let answer = try change(body)
        try await withCheckedThrowingContinuation { waiting.append($0) }
        return answer
    }

    var figures: StoreFigures {
        StoreFigures(commitCount: commitCount, failedCommitCount: failedCommitCount, commitTimes: commitTimes)
    }

    /// Commits what is open and closes the file; later changes are refused.
    func close() {
        commit()
        connection = nil
    }

    private func change<Answer>(_ body: (SQLiteTransaction) throws -> Answer) throws -> Answer {
        guard let connection else { throw StoreError.closed }
        queueCommit()
        do {
            if !connection.isInTransaction { try connection.run("BEGIN IMMEDIATE") }
            try connection.run("SAVEPOINT change")
            let answer = try body(SQLiteTransaction(connection: connection))
            try connection.run("RELEASE change")
            return answer
        } catch {
            let error = (error as? SQLiteFailure)?.storeError ?? error
            undo(on: connection, because: error)
            throw error
        }
    }

    private func undo(on connection: SQLiteConnection, because error: any Error) {
        if connection.isInTransaction {
            do {
                try connection.run("ROLLBACK TO change")
                try connection.run("RELEASE change")
                return
            } catch {
                // Without the savepoint nothing of the transaction can be trusted.
                _ = try? connection.run("ROLLBACK")
            }
        }
        // On a full disk or an I/O error SQLite gives up the whole transaction, and with it the changes that shared it.
        answerWaiting(.failure(error as? StoreError ?? .io("another change that shared the transaction has failed")))
    }

    private func queueCommit() {
        guard !isCommitQueued else { return }
        isCommitQueued = true
        Task { self.commit() }
    }

    private func commit() {
        isCommitQueued = false
        guard let connection, connection.isInTransaction else { return answerWaiting(.success(())) }
        let began = ContinuousClock.now
        do throws(SQLiteFailure) {
            try connection.run("COMMIT")
            commitCount += 1
            commitTimes.record(nanoseconds: (ContinuousClock.now - began).wholeNanoseconds)
            answerWaiting(.success(()))
        } catch {
            failedCommitCount += 1
            if connection.isInTransaction { _ = try? connection.run("ROLLBACK") }
            answerWaiting(.failure(error.storeError))
        }
    }

    private func answerWaiting(_ result: Result<Void, any Error>) {
        let answered = waiting
        waiting.removeAll()
        for continuation in answered { continuation.resume(with: result) }
    }
}
