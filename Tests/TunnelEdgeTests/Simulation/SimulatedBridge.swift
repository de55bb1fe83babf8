@testable import HTTPTransport
import LinuxIO
import TunnelDomain
@testable import TunnelWire

/// A WebSocket as an agent sees it: envelopes in binary frames, from its bind on.
final class SimulatedBridge: HTTPStreamReceiver {
    unowned let socket: SimulatedWebSocket
    unowned let agent: SimulatedAgent
    var stream: HTTPStream?
    private(set) var status: Int?
    /// Messages whose envelope is out as a whole, and how many of the third party's have come.
    private(set) var said: [SimulatedMessage] = []
    private(set) var heardCount = 0
    /// The first close counts.
    private(set) var closeSaid: SimulatedClose?
    private(set) var closeHeard: SimulatedClose?
    private(set) var hasEnd = false
    /// It ended the bridge without a close envelope, or said what makes no sense.
    private(set) var hasBroken = false
    private(set) var hasSentOuterClose = false
    private(set) var closingCount = 0
    private(set) var error: StreamError?
    private(set) var flaw: String?
    /// Time passed while something was unread here or on its way.
    private(set) var isSlow = false
    /// It has said a message that is larger than may be.
    private(set) var hasSaidTooMuch = false
    private var frames = SimulatedFrames()
    /// Bytes that were not sent, and the messages that end in them, by how many bytes are left when they are out.
    private var rest: [UInt8] = []
    private var marks: [(left: Int, message: SimulatedMessage)] = []
    private var messageCount = 0
    private var unconsumedByteCount = 0
    private var hasFinished = false
    private(set) var heardByteCount = 0

    init(_ socket: SimulatedWebSocket, _ agent: SimulatedAgent) {
        self.socket = socket
        self.agent = agent
    }

    var isBound: Bool { status == 200 }
    var hasUnread: Bool { unconsumedByteCount > 0 }
    /// A part of an envelope has come.
    var hasPart: Bool { frames.restByteCount > 0 }
    var hasMore: Bool { !rest.isEmpty }
    var wasLost: Bool { if case .connectionLost = error { true } else { false } }
    var maySpeak: Bool { isBound && stream != nil && closeSaid == nil && !hasBroken && !hasSentOuterClose && !hasFinished }
    var isTalking: Bool { maySpeak && closeHeard == nil && !hasEnd }

    func noteTimePasses() {
        let isUnderWay = agent.isFrozen || SimulatedWire.Direction.allCases.contains { agent.wire.isBusy($0) }
        if stream != nil, isUnderWay || hasUnread { isSlow = true }
    }

    // MARK: Speaking

    /// Begins to say messages, in so many frames that are cut anywhere; ``goOn(upTo:)`` sends them.
    func say(_ messages: [(isText: Bool, byteCount: Int)], frameCount: Int, messageByteCountMax: Int) {
        guard maySpeak, rest.isEmpty else { return }
        var payload: [UInt8] = []
        var ends: [(Int, SimulatedMessage)] = []
        for (isText, byteCount) in messages {
            messageCount += 1
            let message = SimulatedMessage(messageCount, of: 2 * socket.number + 1, isText: isText, byteCount: byteCount)
            if byteCount > messageByteCountMax { hasSaidTooMuch = true }
            payload += (isText ? BridgeMessage.text(message.payload) : .binary(message.payload)).envelope
            ends.append((payload.count, message))
        }
        let step = max(1, (payload.count + frameCount - 1) / frameCount)
        var end = 0
        while end < payload.count {
            let start = end
            end = min(start + step, payload.count)
            rest += SimulatedFrames.frame(SimulatedFrames.binary, Array(payload[start..<end]))
            for (place, message) in ends where place > start && place <= end {
                marks.append((rest.count - (end - place), message))
            }
        }
        let total = rest.count
        marks = marks.map { (total - $0.left, $0.message) }
    }

    func goOn(upTo byteCount: Int) {
        guard maySpeak, !rest.isEmpty else { return }
        let count = min(byteCount, rest.count)
        stream?.write(Array(rest.prefix(count)))
        rest.removeFirst(count)
        while let first = marks.first, rest.count <= first.left {
            said.append(first.message)
            marks.removeFirst()
        }
    }

    func ping() {
        guard maySpeak, rest.isEmpty else { return }
        stream?.write(SimulatedFrames.frame(SimulatedFrames.ping, [1, 2, 3]))
    }

    /// Closes as an agent does: with one envelope, or as the published ones, with a second one and an outer close frame.
    func close(_ close: SimulatedClose, isTwice: Bool) {
        guard maySpeak else { return }
        goOn(upTo: .max)
        closeSaid = close
        say(close)
        if isTwice {
            say(SimulatedClose(code: 1000))
            stream?.write(SimulatedFrames.frame(SimulatedFrames.close, [0x03, 0xE8]))
        }
        finish()
    }

    private func say(_ close: SimulatedClose) {
        let envelope = BridgeMessage.close(code: close.code ?? 1000, reason: close.reason).envelope
        stream?.write(SimulatedFrames.frame(SimulatedFrames.binary, envelope))
    }

    /// Ends the bridge in one of the ways that are not meant.
    func breakOff(_ way: Int) {
        guard maySpeak else { return }
        switch way {
        case 0:
            goOn(upTo: .max)
            hasSentOuterClose = true
            stream?.write(SimulatedFrames.frame(SimulatedFrames.close, []))
            return
        case 1: stream?.write(SimulatedFrames.frame(SimulatedFrames.binary, [0, 0, 0, 2, 0x7B, 0x7B]))
        case 2: stream?.reset(.cancel)
        default: finish()
        }
        hasBroken = true
    }

    private func finish() {
        guard !hasFinished else { return }
        hasFinished = true
        stream?.finish(trailers: nil)
    }

    // MARK: Hearing

    /// Takes what has come; an agent that takes wholes only keeps what is no whole envelope.
    func take() {
        let kept = agent.takesWholesOnly ? min(unconsumedByteCount, frames.restByteCount) : 0
        stream?.consume(unconsumedByteCount - kept)
        unconsumedByteCount = kept
    }

    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) { status = head.status }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        unconsumedByteCount += bytes.count
        guard isBound else { return take() }
        heardByteCount += bytes.count
        frames.take(bytes)
        while let frame = frames.next() { hear(frame) }
    }

    private func hear(_ frame: SimulatedFrames.Frame) {
        guard flaw == nil else { return }
        if frame.isMasked || frame.first & 0x70 != 0 || frame.first < 0x80 { return flaw = "a frame that no agent reads" }
        switch frame.first & 0x0F {
        case SimulatedFrames.pong: if frame.payload != [1, 2, 3] { flaw = "a pong to no ping" }
        case SimulatedFrames.binary: hear(envelope: frame.payload)
        default: flaw = "an outer frame of another kind than envelopes and pongs: \(frame.first)"
        }
    }

    private func hear(envelope: [UInt8]) {
        let count = envelope.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard envelope.count == 4 + count else { return flaw = "a frame that is not one envelope" }
        if closeHeard != nil { return flaw = "something came behind the close envelope" }
        switch try? BridgeMessage(parsing: Array(envelope.dropFirst(4))) {
        case .text(let bytes): hear(SimulatedMessage(isText: true, payload: bytes))
        case .binary(let bytes): hear(SimulatedMessage(isText: false, payload: bytes))
        case .close(let code, let reason): closeHeard = SimulatedClose(code: code, reason: reason)
        case nil: flaw = "an envelope that is none"
        }
    }

    private func hear(_ message: SimulatedMessage) {
        guard socket.said.indices.contains(heardCount), socket.said[heardCount] == message else {
            return flaw = "message \(heardCount) to the agent is not what the third party said"
        }
        heardCount += 1
    }

    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        hasEnd = true
        if isBound, frames.restByteCount > 0 { flaw = flaw ?? "the bridge ended inside of a frame" }
        // One that leaves its side open is ended all the same.
        if socket.answersClose { finish() }
    }

    func streamSent(byteCount: Int, on stream: HTTPStream) {}

    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        closingCount += 1
        self.error = error
        self.stream = nil
    }
}
