import Foundation
import Testing
import TunnelWire

@testable import culvert_rpc

struct MethodTableTests {
    private let services = Services(try! Options([]), environment: [:])  // no words, so nothing can be wrong with them
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private var methods: MethodTable { MethodTable(services) }

    @Test func `every method says what it is, and what it takes and gives`() {
        for method in methods.methods {
            #expect(method.summary.hasSuffix("."), "\(method.name)")
            #expect(Set(method.parameters.map(\.name)).count == method.parameters.count, "\(method.name)")
            #expect(
                method.parameters.allSatisfy { $0.schema["description"] != nil || $0.schema["anyOf"] != nil }, "\(method.name)")
            #expect(method.result["type"] == .string("object"), "\(method.name)")
            // By position, what must be there comes first.
            let required = method.parameters.map(\.isRequired)
            #expect(required == required.sorted { $0 && !$1 }, "\(method.name)")
        }
    }

    @Test func `every tool has a method behind it, and its hints are true`() {
        for tool in Tool.all {
            if let name = tool.method { #expect(methods[name] != nil, "\(tool.name)") }
            #expect(!(tool.isReadOnly && tool.isDestructive), "\(tool.name)")
            #expect(tool.isReadOnly || tool.level > .read, "\(tool.name) changes something and needs no leave")
            #expect(tool.isDestructive == !tool.effect.isEmpty, "\(tool.name)")
            #expect(tool.level != .destroy || tool.isDestructive, "\(tool.name)")
            #expect(
                tool.omitted.allSatisfy { name in methods[tool.method ?? ""]?.parameters.contains { $0.name == name } == true })
        }
        #expect(Set(Tool.all.map(\.name)).count == Tool.all.count)
    }

    @Test(arguments: AllowedLevel.allCases)
    func `only what is allowed is offered, always in one order`(level: AllowedLevel) {
        let box = ToolBox(services: services, methods: methods, allowed: level)
        #expect(box.offered().allSatisfy { $0.level <= level })
        #expect(box.list(.july2026).serialized == box.list(.july2026).serialized)
        for tool in box.offered() {
            let (input, output) = (box.inputSchema(of: tool), box.outputSchema(of: tool))
            #expect(tool.omitted.allSatisfy { input["properties"]?[$0] == nil }, "\(tool.name)")
            for name in ["reveal", "allow_remote", "take_over"] {
                #expect(input["properties"]?[name] == nil, "\(tool.name) lets a model decide on \(name)")
            }
            #expect(input["additionalProperties"] == .bool(false), "\(tool.name) takes what it does not know")
            #expect((input["properties"]?[ToolBox.tokenName] != nil) == tool.isDestructive, "\(tool.name)")
            #expect(Tool.secretMembers.allSatisfy { output["properties"]?[$0] == nil }, "\(tool.name)")
        }
    }

    @Test(arguments: ConfirmationWay.allCases)
    func `a token and a plan are there only where they are wanted`(way: ConfirmationWay) {
        let box = ToolBox(services: services, methods: methods, allowed: .destroy)
        let tools = box.list(.july2026, way)["tools"]?.arrayValue ?? []
        #expect(tools.contains { $0["name"] == .string("plan_destructive_action") } == (way == .token))
        for tool in tools where tool["annotations"]?["destructiveHint"] == .bool(true) {
            #expect((tool["inputSchema"]?["properties"]?[ToolBox.tokenName] != nil) == (way == .token))
            #expect(tool["description"]?.stringValue?.hasSuffix(way.notice) == true)
        }
    }

    @Test func `an older revision is not told what it does not know`() {
        let box = ToolBox(services: services, methods: methods, allowed: .read)
        let first = box.list(.november2024)["tools"]?.arrayValue?.first
        #expect(first?["annotations"] == nil && first?["outputSchema"] == nil && first?["inputSchema"] != nil)
        #expect(box.list(.march2025)["tools"]?.arrayValue?.first?["annotations"] != nil)
        #expect(box.list(.june2025)["tools"]?.arrayValue?.first?["outputSchema"] != nil)
    }

    @Test func `every call of the control plane has a method, or a reason for none`() throws {
        let description = try JSON(parsing: Array(try Data(contentsOf: Self.root.appending(path: "Docs/openapi.json"))))
        let operations = (description["paths"]?.objectMembers ?? []).flatMap { path in
            (path.value.objectMembers ?? []).compactMap { $0.value["operationId"]?.stringValue }
        }
        #expect(operations.count > 40)
        let called = ControlPlane.operationsOfMethods.values.flatMap(\.self)
        let known = called + ControlPlane.reasonsForNone.keys
        for operation in operations {
            #expect(known.contains(operation), "\(operation) has no method: make one, or say why in ControlPlane")
        }
        for operation in known { #expect(operations.contains(operation), "\(operation) is not in Docs/openapi.json") }
        #expect(Set(known).count == known.count, "a call has two methods, or a method and a reason for none")
        for name in ControlPlane.operationsOfMethods.keys { #expect(methods[name] != nil, "there is no method \(name)") }
    }

    @Test func `the manual has every method, tool, error and limit`() throws {
        let manual = try String(contentsOf: Self.root.appending(path: "Docs/RPC.md"), encoding: .utf8)
        for method in methods.methods {
            #expect(manual.contains("`\(method.name)`"), "\(method.name) is missing in Docs/RPC.md")
        }
        for tool in Tool.all { #expect(manual.contains("`\(tool.name)`"), "\(tool.name) is missing in Docs/RPC.md") }
        for code in RPCFailure.Code.allCases {
            #expect(manual.contains("| \(code.rawValue) | \(code.meaning) |"), "\(code) is missing in Docs/RPC.md")
        }
        #expect(manual.contains(Limits.markdownTable), "Docs/RPC.md must have this table:\n\(Limits.markdownTable)")
    }

    @Test(arguments: [
        ("tunnel://abc", ResourceURI.tunnel("abc")), ("tunnel://abc/requests", .requests("abc")),
        ("tunnel://abc/requests/7", .request("abc", 7)),
        ("tunnel://abc/requests/07", nil), ("tunnel://abc/requests/-1", nil), ("tunnel://../x", nil), ("tunnel://abc/", nil),
        ("tunnel://abc/secret", nil), ("file:///etc/passwd", nil), ("tunnel://ABC", nil),
    ])
    func `only our own resources are resources`(text: String, uri: ResourceURI?) {
        #expect(ResourceURI(text) == uri)
        if let uri { #expect(uri.text == text) }
    }
}
