import TestSupport
import Testing
import TunnelDomain

struct SigningPolicyTests {
    static func host() throws -> PublicHost {
        PublicHost(name: try TunnelName(validating: "my-agent"), zone: try Zone(validating: "tunnels.example"))
    }

    static let sound = SigningRequest(
        key: .p256, isSignatureValid: true, signatureHash: .sha256, commonNames: ["my-agent.tunnels.example"],
        alternativeNames: [.dns("my-agent.tunnels.example")], asksForCA: false)

    /// One thing wrong each, and what is said about it.
    enum Defect: CaseIterable, Sendable {
        case noBlock, twoBlocks, rsa2047, rsa8193, otherKey, sha1, brokenSignature, authority
        case otherCommonName, wildcard, otherHost, finalDot, nul, parent, ip, uri, email, otherName, noName

        func spoil(_ request: inout SigningRequest) {
            let host = "my-agent.tunnels.example"
            switch self {
            case .noBlock: request.blockCount = 0
            case .twoBlocks: request.blockCount = 2
            case .rsa2047: request.key = .rsa(bitCount: 2047)
            case .rsa8193: request.key = .rsa(bitCount: 8193)
            case .otherKey: request.key = .other("P-521")
            case .sha1: request.signatureHash = .other("SHA-1")
            case .brokenSignature: request.isSignatureValid = false
            case .authority: request.asksForCA = true
            case .otherCommonName: request.commonNames.append("other.tunnels.example")
            case .wildcard: request.alternativeNames.append(.dns("*.tunnels.example"))
            case .otherHost: request.alternativeNames.append(.dns("other.tunnels.example"))
            case .finalDot: request.alternativeNames.append(.dns(host + "."))
            case .nul: request.alternativeNames.append(.dns(host + "\u{0}.evil.example"))
            case .parent: request.alternativeNames.append(.dns("tunnels.example"))
            case .ip: request.alternativeNames.append(.ipAddress("192.0.2.7"))
            case .uri: request.alternativeNames.append(.uri("https://" + host))
            case .email: request.alternativeNames.append(.email("me@" + host))
            case .otherName: request.alternativeNames.append(.other("directory name"))
            case .noName: (request.commonNames, request.alternativeNames) = ([], [])
            }
        }

        var refusal: SigningRefusal {
            let host = "my-agent.tunnels.example"
            return switch self {
            case .noBlock: .notOneRequest(blockCount: 0)
            case .twoBlocks: .notOneRequest(blockCount: 2)
            case .rsa2047: .weakKey(rsaBitCount: 2047)
            case .rsa8193: .oversizedKey(rsaBitCount: 8193)
            case .otherKey: .unsupportedKey("P-521")
            case .sha1: .weakHash("SHA-1")
            case .brokenSignature: .invalidSignature
            case .authority: .certificateAuthority
            case .otherCommonName: .wrongCommonName("other.tunnels.example")
            case .wildcard: .wildcardName("*.tunnels.example")
            case .otherHost: .otherHost("other.tunnels.example")
            case .finalDot: .otherHost(host + ".")
            case .nul: .otherHost(host + "\u{0}.evil.example")
            case .parent: .otherHost("tunnels.example")
            case .ip: .otherKindOfName("the IP address 192.0.2.7")
            case .uri: .otherKindOfName("the URI https://" + host)
            case .email: .otherKindOfName("the e-mail address me@" + host)
            case .otherName: .otherKindOfName("a name of the kind directory name")
            case .noName: .noName
            }
        }
    }

    @Test(arguments: Defect.allCases)
    func `every defect has its own refusal`(defect: Defect) throws {
        var request = Self.sound
        defect.spoil(&request)
        let host = try Self.host()
        #expect(SigningPolicy.refusal(of: request, for: host) == defect.refusal)
        let explanation = defect.refusal.explanation(for: host)
        #expect(explanation.hasSuffix(".") && explanation.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }

    @Test func `a request is read up to its bound`() {
        #expect(SigningPolicy.refusal(ofByteCount: 16_384) == nil)
        #expect(SigningPolicy.refusal(ofByteCount: 16_385) == .tooLarge(byteCount: 16_385))
    }

    @Test(arguments: [SigningPolicy.rsaBitCountMin, SigningPolicy.rsaBitCountMax])
    func `the smallest and the largest RSA key are sound`(bitCount: Int) throws {
        var request = Self.sound
        request.key = .rsa(bitCount: bitCount)
        #expect(SigningPolicy.refusal(of: request, for: try Self.host()) == nil)
    }

    @Test func `a name in an explanation is cut after 100 characters`() throws {
        let host = try Self.host()
        let hundred = String(repeating: "x", count: 100)
        #expect(SigningRefusal.otherHost(hundred).explanation(for: host).contains("name \(hundred) is"))
        #expect(SigningRefusal.otherHost(hundred + "y").explanation(for: host).contains("name \(hundred)… is"))
    }

    @Test func `a long name does not make a long explanation`() throws {
        let explanation = SigningRefusal.otherHost(String(repeating: "x", count: 100_000)).explanation(for: try Self.host())
        #expect(explanation.utf8.count < 300)
    }

    @Test func `a sound request is accepted in every variation`() throws {
        let host = try Self.host()
        try checkProperty { sample in
            let request = sample.soundRequest(for: host)
            sample.note("\(request)")
            try sample.check(SigningPolicy.refusal(of: request, for: host), is: nil, "the refusal")
        }
    }

    @Test func `a request with any defect is refused, whatever else it says`() throws {
        let host = try Self.host()
        try checkProperty { sample in
            var request = sample.soundRequest(for: host)
            let defects = (0..<sample.int(in: 1...3)).map { _ in sample.element(of: Defect.allCases) }
            // Taking the names away would undo a defect of names that came before it.
            for defect in defects.filter({ $0 == .noName }) + defects.filter({ $0 != .noName }) { defect.spoil(&request) }
            sample.note("\(defects): \(request)")
            let refusal = SigningPolicy.refusal(of: request, for: host)
            try sample.check(refusal != nil, "it is accepted")
        }
    }
}

extension Sample {
    fileprivate mutating func soundRequest(for host: PublicHost) -> SigningRequest {
        let text = String(host.text.map { bool() ? Character($0.uppercased()) : $0 })
        let names = (0..<int(in: 0...3)).map { _ in SigningRequest.AlternativeName.dns(text) }
        let keys: [SigningRequest.Key] = [.rsa(bitCount: int(in: 2048...8192)), .p256, .p384, .ed25519]
        return SigningRequest(
            key: element(of: keys), isSignatureValid: true,
            signatureHash: element(of: [.sha256, .sha384, .sha512, .intrinsic]),
            commonNames: names.isEmpty || bool() ? [text] : [], alternativeNames: names, asksForCA: false)
    }
}
