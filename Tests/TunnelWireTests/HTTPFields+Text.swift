@testable import TunnelWire

extension HTTPFields {
    init(_ pairs: [(String, String)]) {
        self.init()
        for (name, value) in pairs { append(name: name, value: value) }
    }

    var lines: [String] { pairs.map { "\($0.name): \($0.value)" } }
    var indented: [String] { lines.map { "  " + $0 } }
}
