internal import TunnelClient
internal import TunnelProfile

/// `culvert keys rotate`: an agent replaces its own API key and rotation secret (control plane §5).
struct KeyRotationCommand {
    let session: CommandSession
    private let console: Console
    private let path: String

    init(session: CommandSession) {
        self.session = session
        console = session.console
        path = session.settings.locations.configurationFile
    }

    func run() async throws(Complaint) {
        guard session.words.value("--overlap-hours") == nil else {
            throw Complaint(
                UsageError(
                    message:
                        "--overlap-hours is for a key that is named by its ID: the one that is logged in is replaced at once",
                    command: ["keys", "rotate"]))
        }
        let sink = try session.words.value("--secret-file").map { path throws(Complaint) in try DraftFile.make(at: path) }
        let rotation = KeyRotation(profile: session.settings.profile, client: session.client)
        let rotated: RotatedCredentials
        do throws(KeyRotation.Failure) {
            rotated = try await rotation.run(rotationSecretFile: session.words.value("--rotation-secret-file"))
        } catch {
            throw complaint(error)
        }
        try sink?.keep(Array("\(rotated.apiKey)\n\(rotated.rotationSecret)\n".utf8))
        report(rotated, secretFile: sink?.path)
    }

    private func complaint(_ failure: KeyRotation.Failure) -> Complaint {
        switch failure {
        case .unready(let flaw): return Complaint(flaw)
        case .undecided(let error):
            var complaint = complaint(error)
            complaint.advice = "Nothing is lost: run \"culvert keys rotate\" again within 24 hours; it ends what was begun."
            return complaint
        case .refused(let error, let isRepetition):
            var complaint = complaint(error)
            if case .refused(let refusal) = error, refusal.kind == .unauthenticated {
                complaint.advice = Self.advice(afterRepetition: isRepetition)
            }
            return complaint
        case .unkept(let flaw):
            var complaint = Complaint(flaw)
            complaint.advice =
                "The old key is void, and the new one could not be kept. Running \"culvert keys rotate\" again "
                + "within 24 hours gets the same new key once \(path) can be written."
            return complaint
        }
    }

    private func complaint(_ error: ClientError) -> Complaint {
        Complaint(error, act: "rotate the API key", server: session.settings.server)
    }

    private static func advice(afterRepetition isRepetition: Bool) -> String {
        isRepetition
            ? "The rotation that was begun earlier may have been carried out, and its answer is no longer kept. Have an "
                + "administrator make a new key: culvert keys create LABEL --identity HANDLE"
            : "The key or the rotation secret is not the current one. If it was rotated elsewhere, log in with what came of "
                + "that; else have an administrator make a new key: culvert keys create LABEL --identity HANDLE"
    }

    private func report(_ rotated: RotatedCredentials, secretFile: String?) {
        struct Report: Encodable {
            var agentID: String?
            var agentName: String?
            var file: String
            var secretFile: String?

            private enum CodingKeys: String, CodingKey {
                case file
                case agentID = "agent_id"
                case agentName = "agent_name"
                case secretFile = "secret_file"
            }
        }
        let document = Report(
            agentID: rotated.agentID, agentName: rotated.agentName, file: path, secretFile: secretFile)
        guard !console.isJSON else { return console.printJSON(document) }
        let owner = rotated.agentName.map { " of \(Printable.text($0))" } ?? ""
        console.print("The API key\(owner) and its rotation secret are replaced; the old ones are void.")
        let copy = secretFile.map { ", and in \(Printable.text($0))" } ?? ""
        console.note("The new ones are kept in \(path)\(copy), which only you can read.")
    }
}
