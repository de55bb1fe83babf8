internal import FoundationEssentials
internal import Glibc
internal import LinuxIO

let tool = CommandLineTool(
    words: Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment)
// Before any thread is started: every thread inherits what is blocked here.
Signals.ignoreBrokenPipes()
if tool.handlesSignals { Signals.block([.interrupt, .terminate]) }
exit(await tool.run().rawValue)
