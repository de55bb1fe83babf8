internal import FoundationEssentials
internal import LinuxIO

let tool = CommandLineTool(
    words: Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment)
Memory.tuneForBuffers()
Signals.ignoreBrokenPipes()
ProcessExit.end(await tool.run().rawValue)
