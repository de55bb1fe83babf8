import Foundation
import TestSupport
import Testing
import TunnelWire

/// What holds for every JSON text, tried on many.
struct JSONProperties {
    private struct Broken: Error, CustomStringConvertible {
        let description: String
    }

    private static func value(_ sample: inout Sample, depth: Int = 0) -> JSONValue {
        switch sample.int(in: 0...(depth < 6 ? 6 : 4)) {
        case 0: return .null
        case 1: return .bool(sample.bool())
        case 2: return .number(sample.element(of: ["0", "-0", "1.50", "1e3", "-7E-2", "12345678901234567890"]))
        case 3, 4: return .string(text(&sample))
        case 5: return .array(sample.list(upTo: 5) { value(&$0, depth: depth + 1) })
        default:
            var seen: Set<[UInt8]> = []
            let members = sample.list(upTo: 5) { JSONMember(text(&$0), value(&$0, depth: depth + 1)) }
            return .object(members.filter { seen.insert(Array($0.name.utf8)).inserted })
        }
    }

    private static func text(_ sample: inout Sample) -> String {
        sample.text(of: "a\"\\/\n\t\u{0}\u{7F}é\u{2028}😀e\u{301}", count: 0...6)
    }

    @Test func `every value survives being written and read`() throws {
        try checkProperty { sample in
            let value = Self.value(&sample)
            let bytes = value.serialized
            sample.note(String(decoding: bytes, as: UTF8.self).debugDescription)
            let read = try JSONValue(parsing: bytes)
            // By bytes: `String` takes canonically equivalent texts for equal.
            guard read.serialized == bytes, read == value else { throw Broken(description: "it came back otherwise") }
        }
    }

    @Test func `a damaged text is refused with a place inside it, or is JSON to others too`() throws {
        try checkProperty(cases: 3000) { sample in
            var bytes = Self.value(&sample).serialized
            for _ in 0..<sample.int(in: 1...4) {
                let index = sample.int(in: 0...bytes.count)
                switch sample.int(in: 0...2) {
                case 0 where index < bytes.count: bytes.remove(at: index)
                case 1 where index < bytes.count: bytes[index] = UInt8(sample.int(in: 0...255))
                default: bytes.insert(sample.element(of: Array(#"{}[]",:\u01e.-+tfn "#.utf8)), at: index)
                }
            }
            sample.note(String(decoding: bytes, as: UTF8.self).debugDescription)
            let value: JSONValue
            do throws(JSONSyntaxError) {
                value = try JSONValue(parsing: bytes)
            } catch {
                guard error.line >= 1, (1...bytes.count + 1).contains(error.column) else {
                    throw Broken(description: "the place is outside: \(error.description)")
                }
                return
            }
            guard (try? JSONValue(parsing: value.serialized)) == value else {
                throw Broken(description: "what was read cannot be read again")
            }
            let isJSONElsewhere = (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
            guard isJSONElsewhere else { throw Broken(description: "Foundation refuses what was read") }
        }
    }
}
