@testable import HTTPTransport
import LinuxIO
import TunnelDomain
import TunnelWire

/// A WebSocket as its third party sees it: a request first, and frames once it is open.
final class SimulatedWebSocket: SimulatedRequest {
    /// Whether it answers a close frame at once, as RFC 6455 wants it.
    let answersClose: Bool
    /// The binds that agents have tried.
    var bridges: [SimulatedBridge] = []
    /// What it has said, whole messages only, and how many of its agent's it has heard.
    private(set) var said: [SimulatedMessage] = []
    private(set) var heardCount = 0
    private(set) var closeSaid: SimulatedClose?
    private(set) var closeHeard: SimulatedClose?
    /// The code that its own fault deserves.
    private(set) var breach: Int?
    /// It ended its side without a close frame.
    private(set) var hasVanished = false
    /// Something that must not be, as soon as it is.
    private(set) var flaw: String?
    private var pings: [[UInt8]] = []
    private var pongCount = 0
    private var frames = SimulatedFrames()
    /// The frames of the message under way that were not sent.
    private var rest: [[UInt8]] = []
    private var underWay: SimulatedMessage?
    private var messageCount = 0
    private(set) var heardByteCount = 0

    init(number: Int, tunnel: Int, answersClose: Bool, now: @escaping () -> MonotonicInstant) {
        self.answersClose = answersClose
        super.init(number: number, tunnel: tunnel, method: "GET", bodyByteCount: 0, now: now)
    }

    /// The agent has accepted.
    var wasOpened: Bool { head?.status == 101 || head?.status == 200 }
    /// The one bind that the edge has taken.
    var bridge: SimulatedBridge? { bridges.first(where: \.isBound) }
    var isMidMessage: Bool { !rest.isEmpty }
    override var progress: Int { heardByteCount + super.progress }
    override var isUpgrade: Bool { true }

    /// Over HTTP/2 it may speak before it is answered.
    var maySpeak: Bool {
        guard stream != nil, !isGivenUp, closeSaid == nil, breach == nil, !hasVanished else { return false }
        return wasOpened || head == nil && thirdParty?.isHTTP2 == true
    }
    /// Nobody has said a word about the end.
    var isTalking: Bool {
        wasOpened && stream != nil && !isGivenUp && closeSaid == nil && breach == nil && !hasVanished && closeHeard == nil
    }

    // MARK: Speaking

    /// Begins a message in so many pieces; ``goOn(_:)`` sends them.
    func say(isText: Bool, byteCount: Int, pieceCount: Int) {
        guard maySpeak, rest.isEmpty else { return }
        messageCount += 1
        let message = SimulatedMessage(messageCount, of: 2 * number, isText: isText, byteCount: byteCount)
        underWay = message
        let step = max(1, (byteCount + pieceCount - 1) / pieceCount)
        var start = 0
        repeat {
            let end = min(start + step, byteCount)
            let opcode = start > 0 ? SimulatedFrames.continuation : isText ? SimulatedFrames.text : SimulatedFrames.binary
            rest.append(SimulatedFrames.frame(opcode, Array(message.payload[start..<end]), isFinal: end == byteCount))
            start = end
        } while start < byteCount
    }

    /// Sends so many pieces of the message under way.
    func goOn(_ pieceCount: Int, messageByteCountMax: Int) {
        guard maySpeak, let message = underWay else { return }
        for _ in 0..<min(pieceCount, rest.count) { stream?.write(rest.removeFirst()) }
        if message.payload.count > messageByteCountMax { return breach = 1009 }
        guard rest.isEmpty else { return }
        said.append(message)
        underWay = nil
    }

    /// Asks for a sign of life; also in the middle of a message.
    func ping() {
        guard maySpeak else { return }
        let payload = simulatedBody(of: number &* 7 &+ pings.count, byteCount: pings.count % 126)
        pings.append(payload)
        stream?.write(SimulatedFrames.frame(SimulatedFrames.ping, payload))
    }

    func close(_ close: SimulatedClose) {
        guard maySpeak else { return }
        closeSaid = close
        rest = []
        stream?.write(SimulatedFrames.frame(SimulatedFrames.close, close.payload))
        if closeHeard != nil { stream?.finish(trailers: nil) }
    }

    /// Ends its side without a word.
    func vanish() {
        guard maySpeak, wasOpened else { return }
        hasVanished = true
        stream?.finish(trailers: nil)
    }

    /// Breaks RFC 6455 in one of several ways.
    func breakRules(_ way: Int) {
        guard maySpeak, rest.isEmpty else { return }
        let (frame, code): ([UInt8], Int) =
            switch way {
            case 0: (SimulatedFrames.frame(SimulatedFrames.text, [0x61], isMasked: false), 1002)
            case 1: (SimulatedFrames.frame(SimulatedFrames.text, [0xC3, 0x28]), 1007)
            case 2: (SimulatedFrames.frame(0x41, [0x61]), 1002)
            case 3: (SimulatedFrames.frame(SimulatedFrames.continuation, [0x61]), 1002)
            default: (SimulatedFrames.frame(SimulatedFrames.close, [0x03, 0xED]), 1002)
            }
        breach = code
        stream?.write(frame)
    }

    // MARK: Hearing

    override func hear(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        guard wasOpened else { return super.hear(bytes, on: stream) }
        heardByteCount += bytes.count
        frames.take(bytes)
        while let frame = frames.next() { hear(frame, on: stream) }
    }

    private func hear(_ frame: SimulatedFrames.Frame, on stream: HTTPStream) {
        guard flaw == nil else { return }
        if closeHeard != nil { return flaw = "something came behind the close frame" }
        if frame.isMasked || frame.first & 0xF0 != 0x80 { return flaw = "a frame that a server may not send" }
        switch frame.first & 0x0F {
        case SimulatedFrames.text: hear(SimulatedMessage(isText: true, payload: frame.payload))
        case SimulatedFrames.binary: hear(SimulatedMessage(isText: false, payload: frame.payload))
        case SimulatedFrames.ping:
            if closeSaid == nil, breach == nil, !hasVanished {
                stream.write(SimulatedFrames.frame(SimulatedFrames.pong, frame.payload))
            }
        case SimulatedFrames.pong:
            guard pings.indices.contains(pongCount), pings[pongCount] == frame.payload else {
                return flaw = "a pong to no ping, or out of order"
            }
            pongCount += 1
        case SimulatedFrames.close: hear(SimulatedClose(payload: frame.payload), on: stream)
        default: flaw = "a frame of an unknown kind"
        }
    }

    private func hear(_ message: SimulatedMessage) {
        guard let bridge, bridge.said.indices.contains(heardCount), bridge.said[heardCount] == message else {
            return flaw = "message \(heardCount) to the third party is not what its agent said"
        }
        heardCount += 1
    }

    private func hear(_ close: SimulatedClose, on stream: HTTPStream) {
        closeHeard = close
        if closeSaid != nil || breach != nil {
            stream.finish(trailers: nil)
        } else if answersClose, !hasVanished {
            closeSaid = close
            isCloseAnswered = true
            stream.write(SimulatedFrames.frame(SimulatedFrames.close, close.payload))
            stream.finish(trailers: nil)
        }
    }

    /// Its close frame is the answer to the other's.
    private(set) var isCloseAnswered = false
    /// Every ping before the end has its pong.
    var hasAllPongs: Bool { pongCount == pings.count }

    override func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        super.streamReceivedEnd(trailers: trailers, on: stream)
        if wasOpened, frames.restByteCount > 0 { flaw = flaw ?? "the stream ended inside of a frame" }
    }
}

/// What a close frame or a close envelope says.
struct SimulatedClose: Equatable {
    /// Nil for an empty frame.
    var code: Int?
    var reason = ""

    init(code: Int?, reason: String = "") {
        self.code = code
        self.reason = reason
    }

    init(payload: [UInt8]) {
        code = payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil
        reason = String(decoding: payload.dropFirst(2), as: UTF8.self)
    }

    var payload: [UInt8] {
        code.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] + Array(reason.utf8) } ?? []
    }
}
