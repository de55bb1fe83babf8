internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

// What holders of narrowed keys are told, and those who make and rotate keys.
extension Problem {
    static func scopeMissing(_ action: Permission.Action, _ scope: String) -> Problem {
        var problem = Problem(
            403, "insufficient-scope", title: "Scope missing",
            detail: "This credential lacks the scope \(scope), which \(action.rawValue) needs; use one that has it.")
        problem.extensions = [JSONMember("missing_scopes", .strings([scope]))]
        return problem
    }

    static func addressNotAllowed(_ address: String) -> Problem {
        Problem(
            403, "address-not-allowed", title: "Address not allowed",
            detail: "This API key may not be used from \(address); use it from the addresses that it was made for, or have an "
                + "administrator make a key for this one.")
    }

    static func exceedsOwn(_ excess: KeyExcess) -> Problem {
        let scopes = excess.scopes.map(\.rawValue)
        var lacks: [String] = []
        if !scopes.isEmpty {
            lacks.append("it lacks the \(scopes.count == 1 ? "scope" : "scopes") \(scopes.joined(separator: ", "))")
        }
        if !excess.tunnels.isEmpty { lacks.append("it may not connect agents for all of these tunnels") }
        if excess.isFromElsewhere { lacks.append("it is bound to ranges of addresses within which the new one does not stay") }
        if lacks.isEmpty { lacks.append("it is for less than a whole organization") }
        var problem = Problem(
            403, "exceeds-own-authority", title: "More than its own",
            detail: "This key may give no credential that could do more than itself: \(lacks.joined(separator: ", and ")). Ask "
                + "for less, or use a key that may do it all.")
        if !scopes.isEmpty { problem.extensions = [JSONMember("missing_scopes", .strings(scopes))] }
        return problem
    }

    static func makingScopesOverAPI(_ scopes: [KeyScope]) -> Problem {
        Problem(
            403, "forbidden", title: "Not allowed",
            detail: "Keys of the whole organization with \(scopes.map(\.rawValue).joined(separator: " or ")) are made on the "
                + "service's own machine only (culvertd init --add-admin-key --scope); leave it out.")
    }

    static let adminKeyRotation = Problem(
        403, "forbidden", title: "Not allowed",
        detail: "Keys that are made on the service's own machine are not rotated over the API: make another one there "
            + "(culvertd init --add-admin-key), then revoke this one.")

    static let keyHasEnded = Problem(
        409, "key-ended", title: "Key has ended",
        detail: "This key is revoked or has expired, so there is nothing to rotate; create a new one.")

    static func keyIsRotated(into successor: UUIDValue) -> Problem {
        Problem(
            409, "key-rotated", title: "Rotated already",
            detail: "This key was rotated already; rotate its successor \(APIKeyRecord.text(of: successor)), or revoke it "
                + "to end the overlap now.")
    }
}
