import Foundation
import Glibc
import TLS
import TunnelWire

/// `culvert-hook init`: writes a configuration that works, and a secret for it.
struct Initialize {
    private let preset: String
    private let path: String

    init(_ words: [String]) throws {
        let flags = try Flags(words, values: ["--output"])
        preset = try flags.onlyArgument("PRESET")
        path = flags.values["--output"] ?? "hooks.json"
        guard Self.presets.keys.contains(preset) else {
            throw Complaint(
                "“\(preset)” is no preset; there are \(Self.presets.keys.sorted().joined(separator: ", "))", exitCode: .usage)
        }
    }

    private struct Preset {
        /// The members of `verify` beside its kind; the secret stands in a file.
        var secretMember = "secrets"
        var secret: @Sendable () -> String = { Hex.encode(RandomBytes.make(count: 32)) }
        var when: String?
        /// The sender makes the secret, so the one in the file is only for tests.
        var isSendersOwn = false
    }

    private static let whsec: @Sendable () -> String = { "whsec_" + Base64.encode(RandomBytes.make(count: 32)) }

    private static let presets: [String: Preset] = [
        "github": Preset(when: #"{"header": "x-github-event", "equals": "push"}"#), "gitlab": Preset(),
        "stripe": Preset(when: #"{"json": "/type", "in": ["checkout.session.completed"]}"#, isSendersOwn: true),
        "slack": Preset(isSendersOwn: true), "shopify": Preset(isSendersOwn: true), "twilio": Preset(isSendersOwn: true),
        "inkbox": Preset(secret: whsec, isSendersOwn: true),
        "standard-webhooks": Preset(secret: whsec), "svix": Preset(secret: whsec, isSendersOwn: true),
        "culvert": Preset(
            secret: whsec, when: #"{"json": "/type", "equals": "secret.rotated"}"#, isSendersOwn: true),
        "bearer": Preset(), "basic": Preset(secret: { "hook:" + Hex.encode(RandomBytes.make(count: 16)) }),
    ]

    func run() throws {
        guard let preset = Self.presets[preset] else { return }
        let secretPath = path + ".secret"
        try write(preset.secret() + "\n", to: secretPath)
        try write(text(preset, secretFile: secretPath.split(separator: "/").last.map(String.init) ?? secretPath), to: path)
        let whose =
            preset.isSendersOwn ? "Put the secret that \(self.preset) shows you into" : "Give \(self.preset) the secret in"
        Output.print(
            """
            \(path) is written. \(whose) \(secretPath), then:
              culvert-hook check \(path)
              culvert-hook serve \(path)
              culvert-hook send --as \(self.preset) --config \(path) --url http://127.0.0.1:9000/\(self.preset) FILE
            """)
    }

    private func text(_ preset: Preset, secretFile: String) -> String {
        let when = preset.when.map { "\n      \"when\": \($0)," } ?? ""
        return """
            {
              "listen": ["127.0.0.1:9000"],
              "data": "hook-data",
              "routes": [
                {
                  "name": "\(self.preset)",
                  "path": "/\(self.preset)",
                  "verify": {"kind": "\(self.preset)", "\(preset.secretMember)": [{"file": "\(secretFile)"}]},\(when)
                  "action": {"exec": ["/bin/cat"]},
                  "retries": {"attempts": 5, "firstSeconds": 2}
                }
              ]
            }

            """
    }

    /// A file that is there already stays as it is.
    private func write(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw Complaint(
                "\(path) cannot be written: \(String(cString: strerror(errno)))", advice: "Choose another file with --output.")
        }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard Glibc.write(file, bytes, bytes.count) == bytes.count else { throw Complaint("\(path) cannot be written") }
    }
}
