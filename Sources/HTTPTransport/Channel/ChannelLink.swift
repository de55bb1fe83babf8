internal import LinuxIO

/// What carries the bytes of a channel in the place of a socket, on the channel's loop.
protocol ChannelLink: AnyObject {
    /// Who is told when there is something to read, or room to write, again.
    var handler: (any IOHandler)? { get set }
    func receive(into buffer: UnsafeMutableRawBufferPointer) -> Socket.Transfer
    func send(_ bytes: UnsafeRawBufferPointer) -> Socket.Transfer
    /// No more comes from the channel.
    func shutdownWrite()
    /// The channel is gone; with `isAborting` what it sent need not arrive.
    func close(isAborting: Bool)
}
