internal import FoundationEssentials
internal import LinuxIO

let environment = ProcessInfo.processInfo.environment
do {
    let options = try Options(Array(CommandLine.arguments.dropFirst()), environment: environment)
    switch options.action {
    case .help: print(Options.help, terminator: "")
    case .version: print("culvert-rpc \(Version.text)")
    case .serve:
        Memory.tuneForBuffers()
        Signals.ignoreBrokenPipes()
        ProcessExit.end(await Program(options: options, environment: environment).run())
    }
} catch {
    Program(options: try Options([]), environment: [:]).log("\(error.message)\n\"culvert-rpc --help\" explains.")
    ProcessExit.end(2)
}
