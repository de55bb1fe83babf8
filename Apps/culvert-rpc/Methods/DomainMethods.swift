internal import TunnelDomain
internal import TunnelWire

/// The rules, asked without a server.
enum DomainMethods {
    static let all: [Method] = [validateName, rateLimit, renewalPlan, parseSecret]

    private static let validateName = Method(
        name: "domain.validateName", summary: "Says whether a text can be the name of a tunnel, and if not, why.",
        parameters: [.required("name", Schema.string("the text"))],
        result: Schema.object(
            [
                "is_valid": Schema.flag("it keeps every rule"),
                "is_reserved": Schema.flag("the standard list keeps it from being taken"),
                "explanation": Schema.string("the rule that it breaks first, for people"),
            ], required: ["is_valid", "is_reserved"]),
        run: .now { arguments in
            do throws(TunnelNameError) {
                let name = try TunnelName(validating: arguments.string("name") ?? "")
                return .members(["is_valid": .bool(true), "is_reserved": .bool(ReservedNames.standard.contains(name))])
            } catch {
                return .members([
                    "is_valid": .bool(false), "is_reserved": .bool(false), "explanation": .string(error.explanation),
                ])
            }
        })

    private static let rateLimit = Method(
        name: "domain.rateLimit", summary: "Decides whether one more success fits into a rolling window.",
        parameters: [
            .required("limit", Schema.integer("the most successes in any window", 0...1_000_000_000)),
            .required("window_seconds", Schema.integer("how long a success counts", 1...3_153_600_000)),
            .required("successes", Schema.list(of: Schema.time("when one was"), "the moments of all successes, in any order")),
            .required("at", Schema.time("when the next is to be")),
        ],
        result: Schema.object(
            [
                "is_allowed": Schema.flag("it fits"), "remaining": Schema.integer("how many more fit after it"),
                "reset_after_seconds": Schema.number("when the oldest that counts stops counting"),
                "retry_after_seconds": Schema.number("when one fits again"),
                "headers": Schema.map("the header fields that a response would carry"),
            ], required: ["is_allowed", "headers"]),
        run: .now { arguments in
            let limit = RateLimit(
                limit: arguments.int("limit") ?? 0, window: .seconds(arguments.int("window_seconds") ?? 1))
            let successes = try (arguments["successes"]?.arrayValue ?? []).map { try Arguments.time($0, "successes") }
            guard let now = try arguments.time("at") else { throw JSONRPCError.invalidParams("at is missing") }
            let decision = limit.decision(successes: successes, at: now)
            let headers = JSON.some([
                "RateLimit-Policy": .string(limit.policyHeaderValue), "RateLimit": .string(limit.headerValue(for: decision)),
                "Retry-After": limit.retryAfterHeaderValue(for: decision).map(JSON.string),
            ])
            switch decision {
            case .allowed(let remaining, let reset):
                return .members([
                    "is_allowed": .bool(true), "remaining": .integer(remaining), "reset_after_seconds": .seconds(reset),
                    "headers": headers,
                ])
            case .refused(let retry):
                return .members(["is_allowed": .bool(false), "retry_after_seconds": .seconds(retry), "headers": headers])
            }
        })

    private static let renewalPlan = Method(
        name: "domain.renewalPlan", summary: "Says when to renew a certificate, how pressing it is, and when to try again.",
        parameters: [
            .required("not_before", Schema.time("from when on it is valid")),
            .required("not_after", Schema.time("until when it is valid")),
            .required("at", Schema.time("the moment that is asked about")),
            .optional("advised_from", Schema.time("when the issuer wants it renewed (RFC 9773)")),
            .optional("failures", Schema.integer("attempts that failed in a row", 0...1_000_000)),
            .optional("last_failure_at", Schema.time("when the last of them was; by default the moment asked about")),
        ],
        result: Schema.object(
            [
                "renew_from": Schema.time("from when on it should be replaced"),
                "unsafe_from": Schema.time("from when on fast clocks may find it expired"),
                "urgency": Schema.word(RenewalUrgency.allCases.map { "\($0)" }, "how pressing a renewal is"),
                "next_attempt_at": Schema.time("when to try next"),
            ], required: ["renew_from", "unsafe_from", "urgency", "next_attempt_at"]),
        run: .now { arguments in
            guard let begin = try arguments.time("not_before"), let end = try arguments.time("not_after"),
                let now = try arguments.time("at"), begin <= end
            else { throw JSONRPCError.invalidParams("not_after must not lie before not_before") }
            let plan = RenewalPlan(
                of: CertificateValidity(notBefore: begin, notAfter: end), advisedFrom: try arguments.time("advised_from"))
            let next = plan.nextAttempt(
                afterFailures: arguments.int("failures") ?? 0, lastAt: try arguments.time("last_failure_at") ?? now)
            return .members([
                "renew_from": .time(plan.renewFrom), "unsafe_from": .time(plan.unsafeFrom),
                "urgency": .string("\(plan.urgency(at: now))"), "next_attempt_at": .time(next),
            ])
        })

    private static let parseSecret = Method(
        name: "domain.parseSecret", summary: "Says what kind of secret a text is, or why it can be none that was ever issued.",
        parameters: [.required("secret", Schema.string("the text; nothing of it is kept, logged or repeated", max: 4096))],
        result: Schema.object(
            [
                "is_well_formed": Schema.flag("it may be a secret of this service; whether it is known is another question"),
                "kind": Schema.word(["api_key", "rotation_secret", "connect_secret"], "what it is for"),
                "display_prefix": Schema.string("the part of it that may be shown"),
                "explanation": Schema.string("what is wrong with it, for people"),
            ], required: ["is_well_formed"]),
        run: .now { arguments in
            let secret = arguments.string("secret") ?? ""
            do throws(SecretFormatError) {
                let word =
                    switch try SecretFormat.kind(of: secret) {
                    case .apiKey: "api_key"
                    case .rotationSecret: "rotation_secret"
                    case .connectSecret: "connect_secret"
                    }
                return .members([
                    "is_well_formed": .bool(true), "kind": .string(word),
                    "display_prefix": .string(SecretFormat.displayPrefix(of: secret)),
                ])
            } catch {
                return .members(["is_well_formed": .bool(false), "explanation": .string(error.explanation)])
            }
        })
}
