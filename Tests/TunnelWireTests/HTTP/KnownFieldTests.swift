import TestSupport
import Testing

@testable import TunnelWire

struct KnownFieldTests {
    private static func known(_ name: String) -> KnownField {
        Array(name.utf8).withUnsafeBufferPointer { KnownField(lowercased: $0) }
    }

    @Test(arguments: KnownField.allCases)
    func `every name is recognised, and nothing near it`(field: KnownField) throws {
        guard field != .other else { return }
        let name = try #require(field.name).description
        #expect(Self.known(name) == field)
        #expect(name == name.lowercased())
        var bytes = Array(name.utf8)
        for index in bytes.indices {
            let byte = bytes[index]
            bytes[index] = byte == 0x7A ? 0x61 : 0x7A
            let near = String(decoding: bytes, as: UTF8.self)
            #expect(KnownField.allCases.contains { $0.name?.description == near } || Self.known(near) == .other)
            bytes[index] = byte
        }
        #expect(Self.known(name + "x") == .other)
        #expect(Self.known(String(name.dropLast())) == .other)
    }

    @Test func `any other name is other`() throws {
        #expect(Self.known("") == .other)
        let names = Set(KnownField.allCases.compactMap { $0.name?.description })
        try checkProperty { sample in
            let name = sample.text(of: "-acehiknorstx", count: 0...30)
            try sample.check(Self.known(name) == .other || names.contains(name), "\(name) is taken for another")
        }
    }

    @Test func `the list is what is counted on`() { #expect(KnownField.allCases.count < 256) }
}
