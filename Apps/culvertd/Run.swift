import TunnelAPI

/// Runs one command and tells how it ended.
enum Run {
    static func command(words: [String], environment: [String: String]) async -> ExitCode {
        do {
            switch try Command(words: words) {
            case .help(let topic): try Output.result(Help.text(topic))
            case .version: try Output.result("culvertd \(Version.text)")
            case .initialize(let flags): try await Initialize(flags: flags, environment: environment).run()
            case .serve(let flags): try await Serve(flags: flags, environment: environment).run()
            case .openapi: try Output.result(APIDescription.text)
            case .verifyAudit(let flags): try VerifyAudit(flags: flags, environment: environment).run()
            case .exportAudit(let flags): try ExportAudit(flags: flags, environment: environment).run()
            }
            return .success
        } catch let error as UsageError {
            let text = "\(error)"
            Output.complaint(text.contains("--help") ? text : text + "; see `culvertd --help`")
            return .usage
        } catch {
            Output.complaint("\(error)")
            return .failure
        }
    }
}
