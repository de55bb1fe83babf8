internal import TunnelDomain

extension Problem {
    static let noSuchApp = Problem(
        404, "no-such-app", title: "No such app",
        detail: "There is no app with this client id among yours; list them with GET /api/v1/apps.")

    static func tooManyApps(max: Int) -> Problem {
        Problem(
            409, "too-many-apps", title: "Too many apps",
            detail: "The organization has as many apps as it may have, which is \(max); delete one that is not needed.")
    }
}

extension FieldError {
    init(_ error: AppFieldError) { self.init("/name", error.explanation) }
}
