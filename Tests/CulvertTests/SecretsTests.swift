internal import Foundation
internal import TestSupport
internal import Testing
internal import TunnelProfile
@testable internal import culvert

struct SecretsTests {
    @Test func `what is never committed leaves nothing behind`() throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        do { _ = try DraftFile.make(at: folder.path + "/secret") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func `a committed file is its owner's alone and replaces the old one as a whole`() throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        let path = folder.path + "/secret"
        try Data("old and longer".utf8).write(to: URL(filePath: path))
        let draft = try DraftFile.make(at: path)
        #expect(FileManager.default.contents(atPath: path) == Data("old and longer".utf8), "the old one stays until then")
        try draft.keep(Array("new".utf8))
        #expect(FileManager.default.contents(atPath: path) == Data("new".utf8))
        #expect(try folder.mode(of: path) == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["secret"])
    }

    @Test func `a folder, a link and a missing folder are no place for a secret`() throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: "/nonexistent")
        for path in [folder.path, folder.path + "/link", folder.path + "/no/secret"] {
            #expect(throws: Complaint.self) { try DraftFile.make(at: path) }
        }
    }
}
