@testable import culvertd
import LinuxIO
import Testing

@Suite struct SettingTests {
    private func values(
        file: String = "{}", environment: [String: String] = [:], flags: [String] = []
    ) throws -> SettingValues {
        guard case .serve(let flags) = try Command(words: ["serve"] + flags) else { throw UsageError("not serve") }
        return try SettingValues(
            configuration: ConfigurationFile.parse(Array(file.utf8), path: "F"), path: "F", environment: environment,
            flags: flags)
    }

    @Test func `a flag counts before the environment, which counts before the file, which counts before the default`() throws {
        let file = #"{"intake_idle_seconds": 10, "https": ["127.0.0.1:1", "[::1]:2"]}"#
        let environment = ["CULVERT_INTAKE_IDLE_SECONDS": "20"]
        #expect(try values().integer(.intakeIdleSeconds) == 60)
        #expect(try values(file: file).integer(.intakeIdleSeconds) == 10)
        #expect(try values(file: file, environment: environment).integer(.intakeIdleSeconds) == 20)
        let flags = ["--intake-idle-seconds", "30"]
        #expect(try values(file: file, environment: environment, flags: flags).integer(.intakeIdleSeconds) == 30)
        #expect(try values(file: file).texts(.https) == ["127.0.0.1:1", "[::1]:2"])
        #expect(try values(file: file, flags: ["--https=127.0.0.1:3"]).texts(.https) == ["127.0.0.1:3"])
    }

    @Test func `a listener that is set stands alone, otherwise both defaults hold`() throws {
        #expect(try values().listening(.https).map { $0.port } == [8443])
        #expect(try values().listening(.http).map { $0.port } == [8080])
        let plain = try values(flags: ["--http", "127.0.0.1:1"])
        #expect(plain.listening(.https).isEmpty)
        #expect(plain.listening(.http).map { $0.port } == [1])
        #expect(try values(environment: ["CULVERT_HTTPS": "127.0.0.1:2"]).listening(.http).isEmpty)
    }

    @Test func `lists come by repetition or by commas`() throws {
        let flags = ["--http", "127.0.0.1:1", "--http", "127.0.0.1:2"]
        #expect(try values(flags: flags).addresses(.http).map { $0.port } == [1, 2])
        #expect(
            try values(environment: ["CULVERT_HTTP": "127.0.0.1:3,127.0.0.1:4"]).addresses(.http).map { $0.port } == [3, 4])
        #expect(try values(flags: ["--reserved-names-add", "acme,initech"]).texts(.reservedNamesAdd) == ["acme", "initech"])
    }

    @Test(
        arguments: Setting.all.compactMap { setting -> (String, Int, Int)? in
            guard case .integer(_, let range) = setting.kind else { return nil }
            return (setting.name, range.lowerBound, range.upperBound)
        })
    func `a number is taken up to its bounds and not beyond`(name: String, lower: Int, upper: Int) throws {
        let setting = try #require(Setting.all.first { $0.name == name })
        for number in [lower, upper] {
            #expect(try values(environment: [setting.environmentName: "\(number)"]).integer(setting) == number)
        }
        for text in ["\(lower - 1)", "\(upper + 1)", "", " 1", "1.0", "0x1", "ten", "99999999999999999999"] {
            let error = #expect(throws: UsageError.self) { try values(environment: [setting.environmentName: text]) }
            #expect(error?.description.contains(setting.environmentName) == true)
            #expect(error?.description.contains("\(lower) to \(upper)") == true)
        }
    }

    @Test func `every default is within its own bounds, and every name is told once`() {
        for setting in Setting.all {
            for text in setting.defaults { #expect(setting.wish(unmetBy: text) == nil, "\(setting.name)") }
        }
        #expect(Set(Setting.all.map { $0.name }).count == Setting.all.count)
    }

    @Test(arguments: [
        (#"{"intake_idle_second": 1}"#, "“intake_idle_second” in F is no setting"),
        (#"{"intake_idle_seconds": true}"#, "is a Boolean"),
        (#"{"intake_idle_seconds": [1, 2]}"#, "2 times"),
        (#"{"intake_idle_seconds": 0}"#, "from 1 to 3600"),
        (#"{"log_format": "xml"}"#, "text or json"),
        (#"{"https": "localhost:443"}"#, "an IP address and a port"),
        (#"{"https": {}}"#, "is an object"),
        (#"{"log_format": "text", "log_format": "json"}"#, "twice"),
        ("[]", "an array"), ("{", "not JSON"), ("", "not JSON"),
    ])
    func `a mistake in the file is told with its place`(file: String, part: String) {
        let error = #expect(throws: UsageError.self) { try values(file: file) }
        #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("F") == true)
    }

    @Test func `a misspelt limit in the environment is told, other variables are left alone`() {
        #expect(throws: UsageError.self) { try values(environment: ["CULVERT_LIMIT_TUNNELS": "1"]) }
        #expect(throws: Never.self) { try values(environment: ["CULVERT_API_KEY_FILE": "x"]) }
    }
}
