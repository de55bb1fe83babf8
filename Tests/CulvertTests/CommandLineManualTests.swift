internal import Foundation
internal import Testing
@testable internal import culvert

/// `Docs/CommandLine.md` has every command, as the program's own table has it.
struct CommandLineManualTests {
    private static var manual: String {
        get throws {
            let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            return try String(contentsOf: root.appending(path: "Docs/CommandLine.md"), encoding: .utf8)
        }
    }

    @Test(arguments: [HelpText.markdownTable, HelpText.markdownOptions, HelpText.markdownExitCodes])
    func `the manual shows what the program's table says`(table: String) throws {
        #expect(try Self.manual.contains(table + "\n"), "put this into Docs/CommandLine.md:\n\(table)")
    }
}
