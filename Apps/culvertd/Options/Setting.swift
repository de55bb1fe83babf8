/// Something that the operator may set: in the configuration file, in the environment or by a flag.
///
/// One name makes all three: `intake_idle_seconds`, `CULVERT_INTAKE_IDLE_SECONDS`, `--intake-idle-seconds`.
struct Setting: Sendable {
    enum Kind: Sendable {
        /// A whole number; the name ends in its unit, or the unit is a count.
        case integer(default: Int, range: ClosedRange<Int>)
        case choice(default: String, of: [String])
        /// Any number of `ADDRESS:PORT`.
        case addresses(default: [String])
        /// Any number of plain words.
        case words
        /// Any number of IP addresses and `ADDRESS/BITS`.
        case networks
        /// The path of a file, or nothing.
        case file
    }

    let name: String
    let kind: Kind
    /// One line for people, without the default.
    let purpose: String

    init(_ name: String, _ kind: Kind, _ purpose: String) {
        self.name = name
        self.kind = kind
        self.purpose = purpose
    }

    var environmentName: String { "CULVERT_" + name.uppercased() }
    var flag: String { "--" + name.replacing("_", with: "-") }

    /// What stands behind the flag in the help.
    var placeholder: String {
        switch kind {
        case .integer: "N"
        case .choice(_, let choices): choices.joined(separator: "|")
        case .addresses: "ADDRESS:PORT"
        case .words: "WORD,…"
        case .networks: "NETWORK,…"
        case .file: "FILE"
        }
    }

    /// Several values are allowed, by repeating the flag or by commas.
    var isList: Bool {
        switch kind {
        case .integer, .choice, .file: false
        case .addresses, .words, .networks: true
        }
    }

    var defaults: [String] {
        switch kind {
        case .integer(let number, _): ["\(number)"]
        case .choice(let choice, _): [choice]
        case .addresses(let addresses): addresses
        case .words, .networks, .file: []
        }
    }
}
