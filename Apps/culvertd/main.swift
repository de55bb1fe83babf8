import Foundation
import LinuxIO

// Before the first thread starts, so that every thread inherits it.
Signals.ignoreBrokenPipes()
Signals.block([.terminate, .interrupt])
let code = await Run.command(
    words: Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment)
exit(code.rawValue)
