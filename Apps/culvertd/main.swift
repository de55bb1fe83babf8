import Foundation
import LinuxIO

Memory.tuneForBuffers()
Signals.ignoreBrokenPipes()

let code = await Run.command(
    words: Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment)
ProcessExit.end(code.rawValue)
