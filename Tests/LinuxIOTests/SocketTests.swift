import LinuxIO
import Testing

@Suite(.timeLimit(.minutes(5)))
struct SocketTests {
    @Test(arguments: ["127.0.0.1:0", "[::1]:0"])
    func `a port in use is refused, and free again when its owner lets go`(text: String) throws {
        let wish = try #require(SocketAddress(text))
        // Between two listens another test may be given the port: then the next one must be free again.
        let wasFree = try (0..<20).contains { _ in
            let address = try SocketTests.useAPort(like: wish)
            return (try? Socket.listen(on: address).number) != nil
        }
        #expect(wasFree)
    }

    private static func useAPort(like wish: SocketAddress) throws -> SocketAddress {
        let first = try Socket.listen(on: wish)
        let address = try Socket.localAddress(first.number)
        #expect(address.port != 0)
        #expect(address.ip == wish.ip)
        let error = #expect(throws: IOError.self) { _ = try Socket.listen(on: address).number }
        #expect(error?.isAddressInUse == true)
        #expect(error?.description == "bind: Address already in use")
        return address
    }

    @Test func `an IPv6 listener leaves the same port of IPv4 alone`() throws {
        let six = try Socket.listen(on: try #require(SocketAddress("[::]:0")))
        let port = try Socket.localAddress(six.number).port
        let four = try? Socket.listen(on: SocketAddress(ip: .v4([127, 0, 0, 1]), port: port))
        // Somebody else may have the port in IPv4; then there is nothing to see.
        guard let four else { return print("skipped: port \(port) of 127.0.0.1 is taken") }
        #expect(try Socket.localAddress(four.number).port == port)
    }

    @Test func `nobody waiting is no error`() throws {
        let listener = try Socket.listen(on: .loopback(port: 0))
        var isNone = false
        switch Socket.accept(listener.number) {
        case .none: isNone = true
        case .accepted: break
        case .vanished: break
        case .exhausted: break
        }
        #expect(isNone)
    }

    @Test func `a connect that nobody answers is told as refused`() async throws {
        final class Outcome: IOHandler {
            let descriptor: FileDescriptor
            var registration: IORegistration?
            let report: (IOError?) -> Void
            init(_ descriptor: consuming FileDescriptor, _ report: @escaping (IOError?) -> Void) {
                self.descriptor = descriptor
                self.report = report
            }
            func ioReady(_ readiness: IOReadiness) {
                guard registration != nil else { return }
                registration = nil
                report(Socket.connectOutcome(descriptor.number))
            }
        }
        let door = try EventLoop()
        defer { door.stop() }
        let address: SocketAddress
        do {
            let listener = try Socket.listen(on: .loopback(port: 0))
            address = try Socket.localAddress(listener.number)
        }
        let error: IOError? = try await withCheckedThrowingContinuation { continuation in
            door.execute { loop in
                do {
                    let descriptor = try Socket.connect(to: address)
                    let number = descriptor.number
                    let outcome = Outcome(descriptor) { continuation.resume(returning: $0) }
                    outcome.registration = try loop.register(number, handler: outcome)
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
        #expect(error?.isConnectionRefused == true)
    }
}
