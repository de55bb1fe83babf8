internal import FoundationEssentials
internal import Glibc
internal import LinuxIO

let tool = CommandLineTool(
    words: Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment)
Signals.ignoreBrokenPipes()
exit(await tool.run().rawValue)
