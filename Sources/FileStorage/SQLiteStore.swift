package import TunnelService

/// The store in one SQLite file of the data directory.
package final class SQLiteStore: TunnelStore {
    package static let fileName = "culvert.db"

    /// Kept open, and so locked against other processes, for as long as the store is.
    private let directory: DataDirectory
    let writer: StoreWriter
    let reader: StoreReader

    init(directory: DataDirectory, writer: sending SQLiteConnection, reader: sending SQLiteConnection) {
        self.directory = directory
        self.writer = StoreWriter(connection: writer)
        self.reader = StoreReader(connection: reader)
    }

    package func read<Answer: Sendable>(
        _ body: @Sendable (any StoreReading) throws -> Answer
    ) async throws -> Answer {
        try await reader.perform { try body($0) }
    }

    package func write<Answer: Sendable>(
        _ body: @Sendable (any StoreWriting) throws -> Answer
    ) async throws -> Answer {
        try await writer.perform { try body($0) }
    }

    /// Finishes what was begun and closes the file; later calls throw `StoreError.closed`.
    package func close() async {
        // The writer last: whoever closes last moves the log into the file, and the reader may not write.
        await reader.close()
        await writer.close()
    }

    package var figures: StoreFigures {
        get async { await writer.figures }
    }

    /// How often a commit reached the disk since the store was opened.
    package var commitCount: Int {
        get async { await writer.commitCount }
    }
}
