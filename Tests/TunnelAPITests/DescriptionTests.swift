import Foundation
import Testing
import TestSupport
import TunnelDomain
import TunnelWire

@testable import TunnelAPI

/// The OpenAPI document says what the route table does, and nothing else.
struct DescriptionTests {
    @Test func `every route has its operation, and every operation its route`() async throws {
        let routes = try await APIHarness().api.table.routes.map { "\($0.method) \($0.pattern.text)" }
        let operations = APIDescription.operations.map { "\($0.method) \($0.path)" }
        for line in Set(routes).subtracting(operations).sorted() {
            Issue.record("\(line) is served and not described: add an APIOperation in Sources/TunnelAPI/Description")
        }
        for line in Set(operations).subtracting(routes).sorted() {
            Issue.record("\(line) is described and not served: add the route, or take the APIOperation out")
        }
        #expect(Set(routes).count == routes.count, "a route stands twice")
        #expect(Set(operations).count == operations.count, "an operation stands twice")
    }

    @Test func `an operation tells the same access, body and repetition as its route`() async throws {
        for route in try await APIHarness().api.table.routes {
            let line = "\(route.method) \(route.pattern.text)"
            let operation = try #require(
                APIDescription.operations.first { ($0.method, $0.path) == (route.method, route.pattern.text) }, "\(line)")
            #expect("\(operation.access)" == "\(route.access)", "\(line)")
            #expect(operation.isKeyed == route.isKeyed, "\(line)")
            #expect(operation.isMetered == route.isMetered, "\(line)")
            #expect((operation.body != nil) == route.readsBody, "\(line)")
        }
    }

    @Test func `Docs has this very document`() throws {
        // .../Tests/TunnelAPITests/DescriptionTests.swift
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let kept = try String(contentsOf: root.appending(path: "Docs/openapi.json"), encoding: .utf8)
        let isSame = kept == APIDescription.text + "\n"
        #expect(isSame, "the description has changed; write it anew: swift run culvertd openapi > Docs/openapi.json")
    }

    @Test func `it is served to whoever asks, as it is printed`() async throws {
        let reply = try await APIHarness().send("GET", "/api/v1/openapi.json", as: Credential.none)
        #expect(reply.status == 200)
        #expect(reply["content-type"] == "application/json")
        #expect(reply.text == APIDescription.text)
        #expect(reply.json["openapi"] == .string("3.1.0"))
    }

    @Test func `names are told once, and every reference leads somewhere`() throws {
        let ids = APIDescription.operations.map(\.id)
        #expect(Set(ids).count == ids.count)
        for target in Self.references(in: APIDescription.document) {
            let place = target.dropFirst(2).split(separator: "/").reduce(APIDescription.document as JSONValue?) {
                $0?[String($1)]
            }
            #expect(place != nil, "\(target)")
        }
    }

    @Test func `every call tells what any call may be answered`() throws {
        for operation in APIDescription.operations {
            let place = APIDescription.document["paths"]?[operation.path]?[operation.method.lowercased()]?["responses"]
            var expected = ["413"]
            if operation.isMetered { expected += ["429", "5XX"] }
            switch operation.access {
            case .everyone: break
            case .permitted: expected += ["400", "401", "403"]
            case .rotationSecret: expected += ["400", "401", "403"]
            }
            for status in expected {
                #expect(place?[status] != nil, "\(operation.method) \(operation.path) does not tell of \(status)")
            }
            let wait = place?["429"]?["headers"]
            if operation.isMetered { #expect(wait?["Retry-After"] != nil && wait?["RateLimit-Policy"] != nil) }
        }
    }

    @Test func `schemas with one name are one schema`() {
        var seen: [String: JSONValue] = [:]
        func check(_ schema: JSONSchema) {
            for named in schema.named {
                if let other = seen[named.name] {
                    #expect(other == named.schema.json, "two schemas are called \(named.name)")
                } else {
                    seen[named.name] = named.schema.json
                    check(named.schema)
                }
            }
        }
        for operation in APIDescription.operations {
            if let body = operation.body { check(body) }
            for answer in operation.answers { if let content = answer.content { check(content.schema) } }
        }
        #expect(seen["Tunnel"] != nil)
    }

    @Test func `who may do a thing is told as the permission table decides`() {
        #expect(Route.Access.everyone.sentence == "No credential is needed.")
        #expect(
            Route.Access.permitted(.rotateConnectSecret).sentence
                == "Allowed to admin keys, an identity's key for what is its own, apps with the scope `secrets:rotate`.")
        #expect(Route.Access.permitted(.forceDeleteTunnel).sentence == "Allowed to admin keys.")
        #expect(
            Route.Access.permitted(.askWhoAmI).sentence
                == "Allowed to admin keys, an identity's key for what is its own, every app.")
    }

    @Test func `a schema or null says so whatever it was made of`() throws {
        #expect(JSONSchema.uuid.orNull.json["type"] == .array([.string("string"), .string("null")]))
        #expect(JSONSchema.oneOf(["a"]).orNull.json["enum"] == .array([.string("a"), .null]))
        #expect(JSONSchema.ref(.problem).orNull.json["anyOf"] != nil)
        #expect(JSONSchema.ref(.problem).orNull.named.map(\.name) == ["Problem"])
    }

    @Test(arguments: [
        ("[]", "[]"), ("{}", "{}"), ("7", "7"), (#"{"a":[]}"#, "{\n  \"a\": []\n}"),
        (#"[1,{"b":null,"c":"\n"}]"#, "[\n  1,\n  {\n    \"b\": null,\n    \"c\": \"\\n\"\n  }\n]"),
    ])
    func `a value over several lines is the same value`(text: String, indented: String) throws {
        let value = try JSONValue(parsing: Array(text.utf8))
        #expect(value.indented == indented)
        #expect(try JSONValue(parsing: Array(value.indented.utf8)) == value)
    }

    private static func references(in value: JSONValue) -> [String] {
        switch value {
        case .object(let members):
            members.flatMap { member -> [String] in
                if member.name == "$ref", case .string(let target) = member.value { return [target] }
                return references(in: member.value)
            }
        case .array(let elements): elements.flatMap(references)
        case .string, .number, .bool, .null: []
        }
    }
}

extension Route {
    fileprivate var isKeyed: Bool {
        switch handler {
        case .keyed, .unauthenticated: true
        default: false
        }
    }
    fileprivate var readsBody: Bool { if case .object = body { true } else { false } }
}
