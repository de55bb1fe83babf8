import Foundation
import Testing
import TunnelService

@testable import FileStorage

@Suite struct StoreOpeningTests {
    let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    /// Runs one script on the file, from outside the store.
    private func execute(_ script: String) throws {
        try SQLiteConnection(path: folder.storePath, mode: .readWrite).execute(script: script)
    }

    private func makeStore() async throws {
        let store = try folder.openStore()
        try await store.setFact(.zone, to: "localhost")
        await store.close()
    }

    @Test func `a store keeps its facts over a restart`() async throws {
        try await makeStore()
        let store = try folder.openStore()
        #expect(try await store.fact(.zone) == "localhost")
    }

    @Test func `without init there is no store`() throws {
        #expect(throws: DataDirectoryError.missing(path: folder.path)) { try DataDirectory(opening: folder.path) }
        let directory = try DataDirectory.make(at: folder.path)
        #expect(throws: StoreOpenError.notInitialized(path: folder.storePath)) { try SQLiteStore.open(in: directory) }
        #expect(!directory.has(SQLiteStore.fileName))
    }

    @Test func `directory and files are the owner's alone`() async throws {
        let store = try folder.openStore()
        try await store.setFact(.zone, to: "localhost")
        func mode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        #expect(try mode(folder.path) == 0o700)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(Set(names) == ["culvert.db", "culvert.db-wal", "culvert.db-shm", "culvertd.lock"])
        for name in names { #expect(try mode(folder.path + "/" + name) == 0o600, "\(name)") }
    }

    @Test func `a file of a newer version is refused and left as it was`() async throws {
        try await makeStore()
        try execute("PRAGMA user_version = 9")
        #expect(throws: StoreOpenError.newerSchema(path: folder.storePath, found: 9, known: Schema.version)) {
            try folder.openStore()
        }
        try execute("PRAGMA user_version = \(Schema.version)")
        #expect(try await folder.openStore().fact(.zone) == "localhost")
    }

    @Test func `a file that is no database is refused`() async throws {
        try await makeStore()
        let text = String(repeating: "This is not a database, but it is long enough to look like one.\n", count: 100)
        try Data(text.utf8).write(to: URL(filePath: folder.storePath))
        #expect { try folder.openStore() } throws: { error in
            guard case StoreOpenError.corrupt(let path, _) = error else { return false }
            return path == folder.storePath
        }
    }

    @Test func `a damaged page is found before anything is served`() async throws {
        try await makeStore()
        var bytes = try Data(contentsOf: URL(filePath: folder.storePath))
        try #require(bytes.count > 8_192)
        // Beyond the first page, whose schema would fail by itself.
        for place in 4_096..<8_192 { bytes[place] = 0xff }
        try bytes.write(to: URL(filePath: folder.storePath))
        #expect { try folder.openStore() } throws: { error in
            guard case StoreOpenError.corrupt = error else { return false }
            return true
        }
    }

    @Test func `a file that another program has locked is refused after the wait`() async throws {
        try await makeStore()
        let other = try SQLiteConnection(path: folder.storePath, mode: .readWrite)
        try other.execute(script: "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;")
        #expect(throws: StoreOpenError.locked(path: folder.storePath)) {
            try SQLiteStore.open(
                in: DataDirectory.make(at: folder.path), creating: false, pageCountMax: nil, busyMillisecondsMax: 20)
        }
    }

    @Test func `a full disk is found at start, and forgotten once there is room`() async throws {
        // Three pages have no room for the tables.
        #expect(throws: StoreOpenError.full(path: folder.storePath)) { try folder.openStore(pageCountMax: 3) }
        let store = try folder.openStore(pageCountMax: 200)
        try await store.setFact(.zone, to: "localhost")
    }

    @Test func `a second process is told who has the directory`() async throws {
        let store = try folder.openStore()
        let owner = Int(ProcessInfo.processInfo.processIdentifier)
        #expect(throws: DataDirectoryError.inUse(path: folder.path, processID: owner)) {
            try DataDirectory(opening: folder.path)
        }
        await store.close()
    }

    @Test func `the lock's copy in a child of a dead owner is waited for`() async throws {
        _ = try DataDirectory.make(at: folder.path)
        let owner = try Process.run(URL(filePath: "/bin/true"), arguments: [])
        owner.waitUntilExit()
        let file = open(folder.path + "/culvertd.lock", O_RDWR | O_CLOEXEC)
        #expect(flock(file, LOCK_EX | LOCK_NB) == 0)
        let note = Array("\(owner.processIdentifier)\n".utf8)
        #expect(ftruncate(file, 0) == 0 && write(file, note, note.count) == note.count)
        let path = folder.path
        let opening = Task.detached { _ = try DataDirectory(opening: path) }
        close(file)
        try await opening.value
    }

    @Test func `a directory that others can enter is refused`() throws {
        _ = try DataDirectory.make(at: folder.path)
        try FileManager.default.setAttributes([.posixPermissions: 0o750], ofItemAtPath: folder.path)
        #expect(throws: DataDirectoryError.openToOthers(path: folder.path, mode: 0o750)) {
            try DataDirectory(opening: folder.path)
        }
        let file = folder.path + "/culvertd.lock"
        #expect(throws: DataDirectoryError.notADirectory(path: file)) { try DataDirectory(opening: file) }
    }

    @Test(
        arguments: [
            (EACCES, .notPermitted(path: "d")), (EPERM, .notPermitted(path: "d")), (EROFS, .readOnly(path: "d")),
            (ENOSPC, .full(path: "d")), (EDQUOT, .full(path: "d")), (ENOENT, .missingFile(path: "d")),
            (EIO, .io(path: "d", text: "Input/output error")),
        ] as [(Int32, DataDirectoryError)])
    func `the system's refusals have names`(errorNumber: Int32, error: DataDirectoryError) {
        #expect(DataDirectoryError(path: "d", errorNumber: errorNumber) == error)
    }

    @Test(
        arguments: [
            (5, .locked(path: "f"), .busy),  // BUSY
            (1_032, .readOnly(path: "f"), .readOnly),  // READONLY_DBMOVED
            (13, .full(path: "f"), .full),  // FULL
            (14, .notPermitted(path: "f"), .io("t (SQLite 14)")),  // CANTOPEN
            (26, .corrupt(path: "f", text: "t"), .corrupt("t")),  // NOTADB
            (779, .corrupt(path: "f", text: "t"), .corrupt("t")),  // CORRUPT_INDEX
            (2_067, .io(path: "f", text: "t (SQLite 2067)"), .constraint("t")),  // CONSTRAINT_UNIQUE
            (1_034, .io(path: "f", text: "t (SQLite 1034)"), .io("t (SQLite 1034)")),  // IOERR_FSYNC
        ] as [(Int32, StoreOpenError, StoreError)])
    func `SQLite's refusals have names`(code: Int32, atStart: StoreOpenError, later: StoreError) {
        let failure = SQLiteFailure(code: code, text: "t")
        #expect(StoreOpenError(path: "f", failure: failure) == atStart)
        #expect(failure.storeError == later)
    }

    @Test func `every refusal names the file and says what to do`() {
        let atStart: [StoreOpenError] = [
            .notInitialized(path: "/d/f"), .noInbox(path: "/d/f"), .newerSchema(path: "/d/f", found: 2, known: 1),
            .locked(path: "/d/f"),
            .readOnly(path: "/d/f"), .full(path: "/d/f"), .corrupt(path: "/d/f", text: "t"), .notPermitted(path: "/d/f"),
        ]
        let directory: [DataDirectoryError] = [
            .missing(path: "/d/f"), .notADirectory(path: "/d/f"), .openToOthers(path: "/d/f", mode: 0o755),
            .notPermitted(path: "/d/f"), .readOnly(path: "/d/f"), .full(path: "/d/f"), .inUse(path: "/d/f", processID: 7),
            .inUse(path: "/d/f", processID: nil), .missingFile(path: "/d/f"),
        ]
        let sentences = atStart.map { "\($0)" } + directory.map { "\($0)" }
        for sentence in sentences {
            #expect(sentence.contains("/d/f"))
            #expect(sentence.contains(";"), "what to do next comes after a semicolon: \(sentence)")
        }
    }
}
