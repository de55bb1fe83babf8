/// What lives on a channel: a protocol that turns bytes into events.
package protocol ChannelHandler: AnyObject {
    /// The connection stands: TCP is connected and TLS, if any, has shaken hands.
    func channelOpened()
    /// Plaintext has come. All of it must be taken; it is valid only during the call.
    func channelReceived(_ bytes: Span<UInt8>)
    /// The peer sends no more; writing may still be possible.
    func channelReachedEnd()
    /// The unsent bytes have fallen to the low mark, and somebody asked.
    func channelDrained()
    /// Always the last call, exactly once.
    func channelClosed(_ error: ChannelError?)
}
