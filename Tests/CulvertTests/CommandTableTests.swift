internal import Foundation
internal import Testing
@testable internal import culvert

struct CommandTableTests {
    @Test(arguments: CommandSpec.all.filter { !$0.isFamily }.map(\.path))
    func `every command is carried out by something`(path: [String]) {
        #expect(
            ["http", "tls", "run", "check", "login", "completions", "rpc"].contains(path[0]) || ServerAction(path: path) != nil)
    }

    @Test func `nothing is carried out that is not in the table`() {
        let inTable = Set(CommandSpec.all.map(\.path))
        let families: [(String, [String])] = [
            ("tunnels", TunnelCommands.Action.allCases.map(\.rawValue)),
            ("identities", IdentityCommands.Action.allCases.map(\.rawValue)),
            ("keys", KeyCommands.Action.allCases.map(\.rawValue)), ("apps", AppCommands.Action.allCases.map(\.rawValue)),
            ("webhooks", WebhookCommands.Action.allCases.map(\.rawValue)),
        ]
        for (family, words) in families {
            for word in words { #expect(inTable.contains([family, word]), "\(family) \(word)") }
        }
    }

    @Test(arguments: CommandSpec.all.filter { !$0.isFamily })
    func `every command has an example, and no option twice`(command: CommandSpec) {
        #expect(!command.examples.isEmpty, "\(command.name)")
        #expect(command.examples.allSatisfy { $0.contains(command.name) }, "\(command.name)")
        #expect(Set(command.allOptions.map(\.name)).count == command.allOptions.count, "\(command.name)")
    }

    @Test func `no option takes a secret as its value`() {
        let secrets = CommandSpec.all.flatMap(\.allOptions).filter {
            $0.name.contains("secret") || $0.name.contains("key")
        }
        #expect(!secrets.isEmpty)
        #expect(secrets.allSatisfy { $0.valueName == "FILE" })
    }

    @Test(arguments: Completions.Shell.allCases)
    func `completions know every command and every option`(shell: Completions.Shell) throws {
        let script = try Completions(shell: shell.rawValue).script
        for command in CommandSpec.all where !command.path.isEmpty {
            #expect(script.contains(command.path.last ?? ""), "\(command.name)")
            for option in command.allOptions { #expect(script.contains(option.name.dropFirst(2)), "\(option.name)") }
        }
    }

    @Test func `a shell that nobody wrote completions for is told`() {
        #expect(throws: Complaint.self) { try Completions(shell: "csh") }
    }
}
