/// Reads a stream of JSON-RPC messages in either framing, and goes on after what is no message.
///
/// The first bytes decide the framing. Each line is a message of its own, so a broken one is over at its end. After a broken
/// header or a wrong `Content-Length` the next header is looked for: inside JSON text that line cannot stand, because strings
/// have no raw line breaks, so it is always the true beginning of the next message. What is refused is told with its id when
/// the id can be found.
package struct JSONRPCStreamReader: Sendable {
    /// What the stream brings next.
    package enum Event: Sendable, Hashable {
        case value(JSONValue)
        case refused(JSONRPCRefusal)
    }

    private enum State {
        /// Nothing has come that says how messages are told apart.
        case unrecognized
        case line
        /// A line that is too long, up to its end.
        case skippedLine(Damage)
        case header
        case body(byteCount: Int)
        /// Everything up to the next header.
        case lost(Damage)
    }

    /// A message that is refused, while its id is looked for in the rest of it.
    private struct Damage {
        var error: JSONRPCError
        var scanner = JSONRPCIDScanner()
        /// The refusal has been told.
        var isTold = false
        /// It has been told with the id.
        var isIDTold = false
    }

    private let limits: JSONRPCLimits
    private var state = State.unrecognized
    private var buffer: [UInt8] = []
    /// What is before it is used up.
    private var start = 0
    /// What is before it has been searched for the end of the line or header.
    private var searched = 0
    private var isAtEnd = false

    package init(limits: JSONRPCLimits = JSONRPCLimits()) { self.limits = limits }

    /// How the stream's messages are told apart; nil until its first bytes have come.
    package var framing: JSONRPCFraming? {
        switch state {
        case .unrecognized: nil
        case .line, .skippedLine: .lines
        case .header, .body, .lost: .headers
        }
    }

    /// Takes the next bytes; to be followed by ``next()`` until it gives nil.
    package mutating func receive(_ bytes: Span<UInt8>) {
        // What was used up goes when it is at least half, so that no byte is moved often.
        if start > 0, start * 2 >= buffer.count {
            buffer.removeSubrange(..<start)
            searched = max(0, searched - start)
            start = 0
        }
        bytes.withUnsafeBufferPointer { buffer.append(contentsOf: $0) }
    }

    /// Says that no more bytes come; to be followed by ``next()`` until it gives nil.
    package mutating func finish() { isAtEnd = true }

    /// The next message or refusal; nil when more bytes are needed, or all has been said.
    package mutating func next() -> Event? {
        while true {
            let step: Step
            switch state {
            case .unrecognized: step = recognize()
            case .line: step = readLine()
            case .skippedLine(let damage): step = skipLine(damage)
            case .header: step = readHeader()
            case .body(let byteCount): step = readBody(byteCount)
            case .lost(let damage): step = findHeader(damage)
            }
            switch step {
            case .again: continue
            case .event(let event): return event
            case .starved: return nil
            }
        }
    }

    private enum Step {
        case again
        case event(Event)
        case starved
    }

    private var unread: ArraySlice<UInt8> { buffer[start...] }

    private mutating func consume(_ byteCount: Int) {
        start += byteCount
        searched = start
    }
}

// MARK: - Lines

extension JSONRPCStreamReader {
    private mutating func recognize() -> Step {
        consume(unread.prefix { Self.isBlank($0) }.count)
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        if unread.starts(with: mark) {
            consume(mark.count)
            return .again
        }
        if mark.starts(with: unread), !isAtEnd || unread.isEmpty { return .starved }
        guard let framing = JSONRPCFraming.recognized(by: unread) ?? (isAtEnd ? .lines : nil) else { return .starved }
        switch framing {
        case .lines: state = .line
        case .headers: state = .header
        }
        return .again
    }

    private mutating func readLine() -> Step {
        let end = buffer[searched...].firstIndex(of: 0x0A)
        searched = end ?? buffer.count
        guard searched - start <= limits.messageByteCountMax else {
            state = .skippedLine(Damage(error: tooLong))
            searched = start
            return .again
        }
        guard end != nil || isAtEnd else { return .starved }
        let line = buffer[start..<searched]
        consume(line.count + (end == nil ? 0 : 1))
        guard !line.allSatisfy(Self.isBlank) else { return end == nil ? .starved : .again }
        return .event(read(Array(line)))
    }

    private mutating func skipLine(_ damage: Damage) -> Step {
        var damage = damage
        let end = unread.firstIndex(of: 0x0A)
        _ = damage.scanner.scan(unread[..<(end ?? buffer.count)])
        consume((end ?? buffer.count) - start + (end == nil ? 0 : 1))
        let isOver = end != nil || isAtEnd
        state = isOver ? .line : .skippedLine(damage)
        guard !damage.isTold, isOver || damage.scanner.isDecided else { return isOver && end != nil ? .again : .starved }
        damage.isTold = true
        if !isOver { state = .skippedLine(damage) }
        return .event(.refused(refusal(damage)))
    }

    private var tooLong: JSONRPCError {
        .invalidRequest("the message is too long; at most \(limits.messageByteCountMax) bytes are taken")
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
}

// MARK: - Headers and bodies

extension JSONRPCStreamReader {
    private mutating func readHeader() -> Step {
        if searched == start { consume(unread.prefix { Self.isBlank($0) }.count) }
        guard !unread.isEmpty else { return .starved }
        guard JSONRPCFraming.recognized(by: unread) != .lines else {
            return lose(.parseError("a Content-Length header was expected"))
        }
        guard let end = headerEnd() else {
            guard unread.count < limits.headerByteCountMax else { return loseHeader(headerTooLong) }
            return isAtEnd ? loseHeader(.parseError("the input ends inside a header")) : .starved
        }
        let length = JSONRPCHeader.bodyByteCount(buffer[start..<end])
        guard end - start <= limits.headerByteCountMax else { return loseHeader(headerTooLong) }
        switch length {
        case .failure(let error):
            // A message may stand where the header should have ended: its id is wanted, and what follows it.
            consume((buffer[start..<end].firstIndex(of: UInt8(ascii: "{")) ?? end) - start)
            return lose(error)
        case .success(let byteCount):
            consume(end - start)
            guard byteCount <= limits.messageByteCountMax else { return lose(tooLong) }
            state = .body(byteCount: byteCount)
            return .again
        }
    }

    /// Behind the empty line that ends the header.
    private mutating func headerEnd() -> Int? {
        var position = searched
        while let newline = buffer[position...].firstIndex(of: 0x0A) {
            let next = newline + 1
            if next < buffer.count, buffer[next] == 0x0A { return next + 1 }
            if next + 1 < buffer.count, buffer[next] == 0x0D, buffer[next + 1] == 0x0A { return next + 2 }
            guard next + 1 < buffer.count else {
                searched = newline
                return nil
            }
            position = next
        }
        searched = buffer.count
        return nil
    }

    private mutating func readBody(_ byteCount: Int) -> Step {
        guard unread.count >= byteCount else {
            return isAtEnd ? lose(.parseError("the input ends before its \(byteCount) announced bytes")) : .starved
        }
        let body = Array(unread.prefix(byteCount))
        state = .header
        let value: JSONValue
        do throws(JSONSyntaxError) {
            value = try JSONValue(parsing: body, depthMax: limits.depthMax)
        } catch {
            return brokenBody(body, error)
        }
        consume(byteCount)
        return .event(.value(value))
    }

    /// The length may be wrong: too large, then the next header stands in the body; too small, then the message goes on.
    private mutating func brokenBody(_ body: [UInt8], _ error: JSONSyntaxError) -> Step {
        var damage = Damage(error: .parseError("the message is no JSON: \(error.description)"))
        switch JSONRPCHeader.search(body[...], isAtEnd: false) {
        case .found(let offset):
            damage.error = .parseError("the message ends after \(offset) bytes, before the announced \(body.count)")
            _ = damage.scanner.scan(body[..<offset])
            consume(offset)
        case .possible(let offset): giveUp(body[..<offset], &damage)
        case .absent: giveUp(body[...], &damage)
        }
        return .event(.refused(refusal(damage)))
    }

    /// Should the rest of the message follow, nothing more is said of it than its id, if that was missing.
    private mutating func giveUp(_ body: ArraySlice<UInt8>, _ damage: inout Damage) {
        _ = damage.scanner.scan(body)
        consume(body.count)
        guard !damage.scanner.isClosed else { return }
        state = .lost(Damage(error: damage.error, scanner: damage.scanner, isTold: true, isIDTold: damage.scanner.isDecided))
    }

    private var headerTooLong: JSONRPCError {
        .parseError("the header is longer than \(limits.headerByteCountMax) bytes")
    }

    /// Leaves a header that cannot be used; without its first byte it is not found again.
    private mutating func loseHeader(_ error: JSONRPCError) -> Step {
        consume(1)
        return lose(error)
    }

    private mutating func lose(_ error: JSONRPCError) -> Step {
        state = .lost(Damage(error: error))
        return .again
    }

    private mutating func findHeader(_ damage: Damage) -> Step {
        var damage = damage
        let (garbageCount, isFound): (Int, Bool) =
            switch JSONRPCHeader.search(unread, isAtEnd: isAtEnd) {
            case .found(let offset): (offset - start, true)
            case .possible(let offset): (offset - start, false)
            case .absent: (unread.count, false)
            }
        consume(damage.scanner.scan(unread.prefix(garbageCount)))
        // Behind the end of the message a header must stand, even if it is a wrong one.
        let isOver = isFound || isAtEnd || damage.scanner.isClosed
        state = isOver ? .header : .lost(damage)
        // A refusal that was told without an id is told again when the id turns up.
        let isWorthTelling = damage.isTold ? damage.scanner.id != nil : isOver || damage.scanner.isDecided
        guard isWorthTelling, !damage.isIDTold else { return isOver && !unread.isEmpty ? .again : .starved }
        damage.isTold = true
        damage.isIDTold = true
        if !isOver { state = .lost(damage) }
        return .event(.refused(refusal(damage)))
    }
}

// MARK: - Values

extension JSONRPCStreamReader {
    private func read(_ text: [UInt8]) -> Event {
        do throws(JSONSyntaxError) {
            return .value(try JSONValue(parsing: text, depthMax: limits.depthMax))
        } catch {
            var scanner = JSONRPCIDScanner()
            _ = scanner.scan(text[...])
            let error = JSONRPCError.parseError("the message is no JSON: \(error.description)")
            return .refused(JSONRPCRefusal(id: scanner.id ?? .null, error: error))
        }
    }

    private func refusal(_ damage: Damage) -> JSONRPCRefusal {
        JSONRPCRefusal(id: damage.scanner.id ?? .null, error: damage.error)
    }
}
