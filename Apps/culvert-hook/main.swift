import Foundation
import LinuxIO

Memory.tuneForBuffers()
Signals.ignoreBrokenPipes()

let tool = CommandLineTool(
    words: Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment)
ProcessExit.end(await tool.run().rawValue)
