import Foundation
import TunnelService

/// Runs one command line from its words to its exit code.
struct CommandLineTool {
    let words: [String]
    let environment: [String: String]

    func run() async -> ExitCode {
        do {
            return try await dispatch()
        } catch let problem as ConfigProblem {
            for line in problem.lines { Output.note(line) }
            Output.note("\(problem.mistakes.count) \(problem.mistakes.count == 1 ? "mistake" : "mistakes")")
            return .usage
        } catch let complaint as Complaint {
            Output.note("culvert-hook: \(complaint)")
            return complaint.exitCode
        } catch let error as StoreError {
            Output.note("culvert-hook: \(Complaint(error))")
            return .failure
        } catch {
            Output.note("culvert-hook: \(error)")
            return .failure
        }
    }

    private func dispatch() async throws -> ExitCode {
        guard let command = words.first, command != "--help", command != "-h", !words.contains("--help") else {
            Output.print(HelpText.text)
            return words.isEmpty ? .usage : .success
        }
        let rest = Array(words.dropFirst())
        switch command {
        case "serve": try await Serve(Flags(rest, values: ["--tunnel", "--listen", "--data"]), environment).run()
        case "check":
            let flags = try Flags(rest)
            let config = try HookConfig.load(try flags.onlyArgument("FILE"), environment: environment)
            Output.print("\(config.routes.count) \(config.routes.count == 1 ? "route" : "routes"), no mistake")
        case "schema": Output.print(ConfigSchema.text)
        case "runs", "dead", "events": return try await History(command, rest, environment).run()
        case "send": return try await Send(rest, environment).run()
        case "init": try Initialize(rest).run()
        case "version", "--version": Output.print("culvert-hook \(Version.text)")
        default: throw Complaint("“\(command)” is no command", advice: "See culvert-hook --help.", exitCode: .usage)
        }
        return .success
    }
}

/// The words of a command: arguments, options with a value, and switches.
struct Flags {
    private(set) var arguments: [String] = []
    private(set) var values: [String: String] = [:]
    private(set) var switches: Set<String> = []

    init(_ words: [String], values names: Set<String> = [], switches known: Set<String> = []) throws {
        var rest = words[...]
        while let word = rest.popFirst() {
            if names.contains(word) {
                guard let value = rest.popFirst() else {
                    throw Complaint("\(word) needs a value", advice: "See culvert-hook --help.", exitCode: .usage)
                }
                values[word] = value
            } else if known.contains(word) {
                switches.insert(word)
            } else if word.hasPrefix("--") {
                throw Complaint("\(word) is no option here", advice: "See culvert-hook --help.", exitCode: .usage)
            } else {
                arguments.append(word)
            }
        }
    }

    /// The one argument that there is.
    func onlyArgument(_ name: String) throws -> String {
        let argument = try argument(name)
        try noArgument(after: 1)
        return argument
    }

    func noArgument(after count: Int) throws {
        guard arguments.count > count else { return }
        throw Complaint("“\(arguments[count])” is one word too many", advice: "See culvert-hook --help.", exitCode: .usage)
    }

    func argument(_ name: String, at place: Int = 0) throws -> String {
        guard arguments.indices.contains(place) else {
            throw Complaint("\(name) is missing", advice: "See culvert-hook --help.", exitCode: .usage)
        }
        return arguments[place]
    }
}

enum Output {
    static func print(_ text: String) { put(text, FileHandle.standardOutput) }
    static func note(_ text: String) { put(text, FileHandle.standardError) }

    private static func put(_ text: String, _ handle: FileHandle) { try? handle.write(contentsOf: Data("\(text)\n".utf8)) }
}

enum HelpText {
    static let text = """
        culvert-hook: takes webhooks, proves who sent them, stores them, and runs actions

          culvert-hook serve FILE [--listen ADDR:PORT] [--tunnel NAME] [--data DIR]
          culvert-hook check FILE                   every mistake with its place
          culvert-hook schema                       the configuration's JSON Schema
          culvert-hook init PRESET [--output FILE]  a working example: github, stripe, slack, culvert, …
          culvert-hook send --as ROUTE --config FILE --url URL [--id ID] PAYLOAD-FILE
                                                    a test event, signed as the route's sender signs
          culvert-hook runs list [--state STATE] [--route ROUTE] [--limit N] | show ID | rerun ID | cancel ID
          culvert-hook dead list | retry ID… | drop ID…
          culvert-hook events list [--route ROUTE] | show ID | replay ID

        The history commands need --data DIR, --config FILE or CULVERT_HOOK_DATA, and take --json.
        SIGHUP makes the listener read its file again; SIGTERM lets what runs finish.
        Manual: Docs/Hooks.md
        """
}
