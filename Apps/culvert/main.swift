internal import FoundationEssentials
internal import Glibc
internal import LinuxIO

let tool = CommandLineTool(
    words: Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment)
Memory.tuneForBuffers()
Signals.ignoreBrokenPipes()
exit(await tool.run().rawValue)
