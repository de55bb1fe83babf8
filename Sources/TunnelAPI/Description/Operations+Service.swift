internal import TunnelWire

extension APIOperation {
    /// Control plane, section 8.
    static let service: [APIOperation] = [
        APIOperation(
            "GET", "/healthz", "getHealth", .service, "Is the process up?", access: .everyone, isMetered: false,
            answers: [DescribedAnswer(200, "It is.", .object([SchemaProperty("status", .oneOf(["ok"]))]))]),
        APIOperation(
            "GET", "/readyz", "getReadiness", .service, "Can the service do its work?",
            "Whether the store takes writes and the listeners are open.", access: .everyone, isMetered: false,
            answers: [
                DescribedAnswer(200, "It can.", .ref(.readiness)), DescribedAnswer(503, "It cannot.", .ref(.readiness)),
            ]),
        APIOperation(
            "GET", "/metrics", "getMetrics", .service, "What the service has counted",
            "In the text format of Prometheus; the handbook lists all metrics. Answered to the service's own machine, and to "
                + "the networks of the setting `metrics_networks`, without a proxy between.", access: .everyone,
            isMetered: false,
            answers: [
                DescribedAnswer(
                    200, "The metrics.", DescribedAnswer.Content(type: "text/plain", schema: .string)),
                .problem(403, "The request comes from elsewhere."),
            ]),
        APIOperation(
            "GET", DescriptionRoutes.path, "getDescription", .service, "This description", access: .everyone,
            answers: [DescribedAnswer(200, "An OpenAPI 3.1 document.", .anyObject)]),
    ]
}

extension NamedSchema {
    fileprivate static let readiness = NamedSchema(
        "Readiness", "Whether each part works.",
        [
            SchemaProperty("status", .oneOf(["ready", "not ready"])),
            SchemaProperty("checks", .map(of: .string), "For each part `ok`, or what is wrong with it."),
        ])
}
