/// Brings a file from the version it has to the one this program knows.
struct SchemaMigration {
    /// The file was written by a later version.
    struct NewerSchema: Error, Hashable {
        var found: Int
        var known: Int
    }

    var steps: [String] = Schema.steps

    /// Takes the missing steps, each in its own transaction, so that a crash leaves a version and never a mixture.
    func run(on connection: SQLiteConnection) throws {
        let found = try version(of: connection)
        guard found <= steps.count else { throw NewerSchema(found: found, known: steps.count) }
        for next in found..<steps.count {
            // The version is part of the step: both are there after a crash, or neither.
            try connection.execute(script: "BEGIN IMMEDIATE;\n\(steps[next])\nPRAGMA user_version = \(next + 1);\nCOMMIT;")
        }
    }

    func version(of connection: SQLiteConnection) throws(SQLiteFailure) -> Int {
        Int(try connection.row("PRAGMA user_version") { $0.integer(0) } ?? 0)
    }
}
