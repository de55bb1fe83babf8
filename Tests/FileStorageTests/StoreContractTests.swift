import FileStorage
import Testing
import TunnelDomain
import TunnelService

/// What every store must do, whether it is a file or the tests' memory.
@Suite struct StoreContractTests {
    @Test(arguments: StoreKind.allCases)
    func `a tunnel comes back as it went in, in every state`(kind: StoreKind) async throws {
        let store = try await kind.make()
        var tunnels = [try Sample.tunnel(1), try Sample.tunnel(2, tlsMode: .passthrough)]
        tunnels[0].agentConnected(from: "192.0.2.7", at: Sample.now + .microseconds(123_456))
        tunnels[0].agentDisconnected(at: Sample.now + .seconds(9))
        var signed = try Sample.tunnel(3, tlsMode: .passthrough)
        let certificate = TunnelCertificate(
            pem: "leaf\n", chainPEM: "", fingerprintSHA256: "ab",
            validity: CertificateValidity(notBefore: Sample.now, notAfter: Sample.now + .days(90)))
        _ = try signed.certificateSigned(certificate, at: Sample.now)
        var pending = try Sample.tunnel(4)
        _ = try pending.delete(at: Sample.now)
        tunnels += [signed, pending]
        for tunnel in tunnels {
            try await store.write { try $0.insert(tunnel) }
            #expect(try await store.read { try $0.tunnel(tunnel.id) } == tunnel)
            #expect(try await store.read { try $0.tunnel(named: tunnel.name) } == tunnel)
        }
        #expect(try await store.read { try $0.tunnel(TunnelID(Sample.id(99))) } == nil)
    }

    @Test(arguments: StoreKind.allCases)
    func `an update replaces the whole record`(kind: StoreKind) async throws {
        let store = try await kind.make()
        var tunnel = try Sample.tunnel(1)
        try await store.write { [tunnel] in try $0.insert(tunnel) }
        _ = try tunnel.update(description: .clear, metadataJSON: .set("{}"), at: Sample.now + .seconds(50))
        try tunnel.rotateConnectSecret(to: [UInt8](repeating: 9, count: 32), at: Sample.now + .seconds(60))
        let changed = tunnel
        try await store.write { try $0.update(changed) }
        #expect(try await store.read { try $0.tunnel(changed.id) } == changed)
    }

    @Test(arguments: StoreKind.allCases)
    func `a name is free again once its tunnel is deleted, and not before`(kind: StoreKind) async throws {
        let store = try await kind.make()
        var first = try Sample.tunnel(1, name: "my-agent")
        let second = try Sample.tunnel(2, name: "my-agent")
        try await store.write { [first] in try $0.insert(first) }
        await #expect(throws: StoreError.self) { try await store.write { try $0.insert(second) } }

        _ = try first.delete(at: Sample.now)
        try await store.write { [first] in try $0.update(first) }
        await #expect(throws: StoreError.self) { try await store.write { try $0.insert(second) } }

        try first.forceDelete(at: Sample.now + .hours(1))
        try await store.write { [first] in try $0.update(first) }
        try await store.write { try $0.insert(second) }
        #expect(try await store.read { try $0.tunnel(named: second.name)?.id } == second.id)
        #expect(try await store.read { try $0.tunnel(TunnelID(Sample.id(1))) } == first)
    }

    @Test(arguments: StoreKind.allCases)
    func `lists are newest first, in pages without gap or repetition`(kind: StoreKind) async throws {
        let store = try await kind.make()
        let other = Sample.organizationID("org_2")
        try await store.write { store in
            try store.insert(Sample.organization(other))
            // Four share each moment, so that the identifier has to decide.
            for number in 0..<40 { try store.insert(Sample.tunnel(number, createdAfter: Int64(number / 4))) }
            for number in 100..<110 { try store.insert(Sample.tunnel(number, organizationID: other)) }
        }
        let all = try await store.read { try $0.tunnels(of: Sample.organizationID, after: nil, limit: nil) }
        #expect(all.map { $0.id } == (0..<40).reversed().map { TunnelID(Sample.id($0)) })

        for size in [1, 3, 7, 40, 41] {
            var paged: [Tunnel] = []
            var cursor: ListCursor?
            while true {
                let page = try await store.read { [cursor] in
                    try $0.tunnels(of: Sample.organizationID, after: cursor, limit: size)
                }
                guard let last = page.last else { break }
                #expect(page.count <= size)
                paged += page
                cursor = ListCursor(behind: last)
            }
            #expect(paged == all)
        }
        #expect(try await store.read { try $0.livingTunnels().count } == 50)
    }

    @Test(arguments: StoreKind.allCases)
    func `deadlines are found when they have come`(kind: StoreKind) async throws {
        let store = try await kind.make()
        for number in 1...5 {
            var tunnel = try Sample.tunnel(number)
            _ = try tunnel.delete(at: Sample.now + .seconds(Int64(number)))
            try await store.write { [tunnel] in try $0.insert(tunnel) }
        }
        let third = Sample.now + .seconds(3) + Tunnel.graceWindow
        func found(_ moment: Timestamp, limit: Int = 10) async throws -> [TunnelID] {
            try await store.read { try $0.tunnels(withDeadlineUpTo: moment, limit: limit) }.map { $0.id }.sorted()
        }
        #expect(try await found(third) == [1, 2, 3].map { TunnelID(Sample.id($0)) })
        #expect(try await found(third - .microseconds(1)) == [1, 2].map { TunnelID(Sample.id($0)) })
        #expect(try await found(third, limit: 2).count == 2)
    }

    @Test(arguments: StoreKind.allCases)
    func `keys are found by their hash and remember their use`(kind: StoreKind) async throws {
        let store = try await kind.make()
        let key = Sample.apiKey(1)
        try await store.write { try $0.insert(key) }
        #expect(try await store.read { try $0.apiKey(hash: key.hash) } == key)
        #expect(try await store.read { try $0.apiKey(hash: Sample.apiKey(2).hash) } == nil)
        try await store.write { try $0.touchAPIKey(key.id, at: Sample.now + .seconds(5)) }
        #expect(try await store.read { try $0.apiKey(hash: key.hash)?.lastUsedAt } == Sample.now + .seconds(5))
        await #expect(throws: StoreError.self) { try await store.write { try $0.insert(key) } }
    }

    @Test(arguments: StoreKind.allCases)
    func `apps come back as they went in, remember their use, and go`(kind: StoreKind) async throws {
        let store = try await kind.make()
        let other = Sample.organizationID("org_2")
        try await store.write { try $0.insert(Sample.organization(other)) }
        for number in 1...6 { try await store.write { try $0.insert(Sample.app(number)) } }
        try await store.write { try $0.insert(Sample.app(9, organizationID: other)) }
        for number in 1...6 {
            #expect(try await store.read { try $0.app(AppID(Sample.id(number))) } == Sample.app(number))
        }
        #expect(try await store.read { try $0.app(AppID(Sample.id(7))) } == nil)
        await #expect(throws: StoreError.self) { try await store.write { try $0.insert(Sample.app(1)) } }

        let all = try await store.read { try $0.apps(of: Sample.organizationID, after: nil, limit: nil) }
        #expect(all == (1...6).reversed().map { Sample.app($0) })
        let behind = ListCursor(createdAt: Sample.now, id: Sample.id(5))
        #expect(
            try await store.read { try $0.apps(of: Sample.organizationID, after: behind, limit: 2) }
                == [Sample.app(4), Sample.app(3)])
        #expect(try await store.read { try $0.appCount(of: Sample.organizationID) } == 6)
        #expect(try await store.read { try $0.appCount(of: other) } == 1)

        let id = AppID(Sample.id(2))
        try await store.write { try $0.touchApp(id, at: Sample.now + .seconds(5)) }
        #expect(try await store.read { try $0.app(id)?.lastUsedAt } == Sample.now + .seconds(5))
        try await store.write { try $0.update(Sample.app(2)) }
        #expect(try await store.read { try $0.app(id) } == Sample.app(2))
        try await store.write { try $0.deleteApp(id) }
        #expect(try await store.read { try $0.app(id) } == nil)
        #expect(try await store.read { try $0.appCount(of: Sample.organizationID) } == 5)
    }

    @Test(arguments: StoreKind.allCases)
    func `successes are counted behind a moment, for one subject and action`(kind: StoreKind) async throws {
        let store = try await kind.make()
        try await store.write { store in
            for second in [30, 10, 20, 20] as [Int64] {
                try store.recordSuccess(of: .tunnelCreate, for: "a", at: Sample.now + .seconds(second))
            }
            try store.recordSuccess(of: .tunnelCreate, for: "b", at: Sample.now + .seconds(20))
            try store.recordSuccess(of: .secretRotate, for: "a", at: Sample.now + .seconds(20))
        }
        func count(_ second: Int64) async throws -> Int {
            try await store.read { try $0.successCount(of: .tunnelCreate, for: "a", after: Sample.now + .seconds(second)) }
        }
        #expect(try await count(9) == 4)
        #expect(try await count(10) == 3)
        #expect(try await count(20) == 1)
        #expect(try await count(30) == 0)
        func time(_ ordinal: Int) async throws -> Timestamp? {
            try await store.read {
                try $0.successTime(of: .tunnelCreate, for: "a", after: Sample.now + .seconds(10), ordinal: ordinal)
            }
        }
        #expect(try await time(0) == Sample.now + .seconds(20))
        #expect(try await time(2) == Sample.now + .seconds(30))
        #expect(try await time(3) == nil)
        try await store.write { try $0.forgetSuccesses(upTo: Sample.now + .seconds(20)) }
        #expect(try await count(0) == 1)
    }

    @Test(arguments: StoreKind.allCases)
    func `an answer is kept for its organization, replaced, and forgotten`(kind: StoreKind) async throws {
        let store = try await kind.make()
        func replay(_ status: Int) -> ReplayRecord {
            ReplayRecord(
                organizationID: Sample.organizationID, key: "k", fingerprint: [1], status: status, sealedBody: [],
                createdAt: Sample.now)
        }
        func kept(_ organization: String = "org_1") async throws -> ReplayRecord? {
            try await store.read { try $0.replay(of: "k", for: Sample.organizationID(organization)) }
        }
        let (first, second) = (replay(201), replay(409))
        try await store.write { try $0.put(first) }
        #expect(try await kept() == first)
        #expect(try await kept("org_2") == nil)
        try await store.write { try $0.put(second) }
        #expect(try await kept() == second)
        try await store.write { try $0.forgetReplays(upTo: Sample.now - .microseconds(1)) }
        #expect(try await kept() != nil)
        try await store.write { try $0.forgetReplays(upTo: Sample.now) }
        #expect(try await kept() == nil)
    }

    @Test(arguments: StoreKind.allCases)
    func `the audit trail ends with the newest entry`(kind: StoreKind) async throws {
        let store = try await kind.make()
        #expect(try await store.read { try $0.lastAuditPlace() } == nil)
        for number in [1, 2, 4] { try await store.write { try $0.append(Sample.audit(number)) } }
        #expect(try await store.read { try $0.lastAuditPlace() } == AuditPlace(sequence: 4, hash: Sample.audit(4).hash))
        await #expect(throws: StoreError.self) { try await store.write { try $0.append(Sample.audit(4)) } }
        #expect(try await store.read { try $0.auditHead() } == nil)
        for head in [[1, 2], [3]] as [[UInt8]] { try await store.write { try $0.putAuditHead(head) } }
        #expect(try await store.read { try $0.auditHead() } == [3])
    }

    @Test(arguments: StoreKind.allCases)
    func `a body that throws has changed nothing and its error comes back`(kind: StoreKind) async throws {
        let store = try await kind.make()
        await #expect(throws: BodyFailure.self) {
            try await store.write { store in
                try store.insert(Sample.tunnel(1))
                throw BodyFailure()
            }
        }
        #expect(try await store.read { try $0.livingTunnels() } == [])
    }

    @Test(arguments: StoreKind.allCases)
    func `a writing body sees its own changes`(kind: StoreKind) async throws {
        let store = try await kind.make()
        let seen = try await store.write { store in
            try store.insert(Sample.tunnel(1))
            return try store.tunnel(TunnelID(Sample.id(1)))
        }
        #expect(try seen == Sample.tunnel(1))
    }

    @Test(arguments: StoreKind.allCases)
    func `texts keep quotes, NUL and every script`(kind: StoreKind) async throws {
        let store = try await kind.make()
        let text = "'; DROP TABLE tunnels; -- \0 “ß” 日本 🚇"
        var tunnel = try Sample.tunnel(1)
        _ = try tunnel.update(description: .set(text), at: Sample.now)
        try await store.write { [tunnel] in try $0.insert(tunnel) }
        #expect(try await store.read { try $0.tunnel(TunnelID(Sample.id(1)))?.description } == text)
    }

    @Test(arguments: StoreKind.allCases)
    func `an organization is there once it was added`(kind: StoreKind) async throws {
        let store = try await kind.make()
        #expect(try await store.read { try $0.organization(Sample.organizationID) } == Sample.organization())
        #expect(try await store.read { try $0.organization(Sample.organizationID("org_9")) } == nil)
    }
}
