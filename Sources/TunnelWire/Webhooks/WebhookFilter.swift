/// Which events a route wants.
package indirect enum WebhookFilter: Sendable, Hashable {
    case test(Source, Claim)
    case all([WebhookFilter])
    case any([WebhookFilter])
    case not(WebhookFilter)

    /// What is looked at.
    package enum Source: Sendable, Hashable {
        /// A header field by its lower-case name; of a repeated one, every value.
        case field(String)
        /// A parameter of the query by its name; of a repeated one, every value.
        case query(String)
        /// A place in the JSON body.
        case json(JSONPointer)
    }

    /// What must be true of it; of several values, for at least one of them.
    package enum Claim: Sendable, Hashable {
        case exists
        case equals(String)
        case isIn([String])
        /// The pattern is found somewhere in the value.
        case matches(SearchPattern)
    }
}

/// What a filter says of an event.
package enum FilterVerdict: Sendable, Hashable {
    case wanted, unwanted
    /// The search for this pattern was given up, and the rest of the filter does not decide without it.
    case undecided(SearchPattern, SearchBound)
}

extension WebhookFilter {
    /// Steps that all searches for one event may take together.
    package static let stepCountMaxDefault = 1_000_000

    /// Whether the event is wanted.
    ///
    /// - Parameters:
    ///   - json: the body's value, or nil when it is no JSON; then nothing is at any pointer.
    ///   - stepCountMax: steps that all searches for patterns may take together; see `PatternEngine.search`.
    package func verdict(
        on request: WebhookRequest, json: JSONValue?, stepCountMax: Int = stepCountMaxDefault
    ) -> FilterVerdict {
        var reading = FilterReading(request: request, json: json, stepsLeft: stepCountMax)
        return reading.verdict(of: self)
    }
}

/// One look at an event. What is undecided stays so under `not`: neither an event nor its contrary is taken on a guess.
private struct FilterReading {
    let request: WebhookRequest
    let json: JSONValue?
    var stepsLeft: Int

    mutating func verdict(of filter: WebhookFilter) -> FilterVerdict {
        switch filter {
        case .all(let parts): first(.unwanted, in: parts, else: .wanted)
        case .any(let parts): first(.wanted, in: parts, else: .unwanted)
        case .not(let part): verdict(of: part).inverted
        case .test(let source, let claim): verdict(of: claim, on: source.values(in: request, json: json))
        }
    }

    /// The decisive verdict when a part has it; else that of a part that is undecided; else the other one.
    private mutating func first(
        _ decisive: FilterVerdict, in parts: [WebhookFilter], else other: FilterVerdict
    ) -> FilterVerdict {
        var verdict = other
        for part in parts {
            let found = self.verdict(of: part)
            if found == decisive { return decisive }
            if verdict == other { verdict = found }
        }
        return verdict
    }

    private mutating func verdict(of claim: WebhookFilter.Claim, on values: [String]) -> FilterVerdict {
        switch claim {
        case .exists: values.isEmpty ? .unwanted : .wanted
        case .equals(let text): equal(to: [text], in: values)
        case .isIn(let texts): equal(to: texts, in: values)
        case .matches(let pattern): search(pattern, in: values)
        }
    }

    private func equal(to texts: [String], in values: [String]) -> FilterVerdict {
        let holds = values.contains { value in texts.contains { $0.utf8.elementsEqual(value.utf8) } }
        return holds ? .wanted : .unwanted
    }

    private mutating func search(_ pattern: SearchPattern, in values: [String]) -> FilterVerdict {
        var verdict = FilterVerdict.unwanted
        for value in values {
            switch pattern.search(value, stepsLeft: &stepsLeft) {
            case .found: return .wanted
            case .notFound: break
            case .gaveUp(let bound): verdict = .undecided(pattern, bound)
            }
        }
        return verdict
    }
}

extension FilterVerdict {
    fileprivate var inverted: FilterVerdict {
        switch self {
        case .wanted: .unwanted
        case .unwanted: .wanted
        case .undecided: self
        }
    }
}

extension WebhookFilter.Source {
    package func values(in request: WebhookRequest, json: JSONValue?) -> [String] {
        switch self {
        case .field(let name): request.fields.filter { $0.name == name }.map(\.value)
        case .query(let name):
            (FormFields(Array((request.query ?? "").utf8))?.pairs ?? []).filter { $0.name.elementsEqual(name.utf8) }
                .map { String(decoding: $0.value, as: UTF8.self) }
        case .json(let pointer): json?.value(at: pointer).map { [$0.plainText] } ?? []
        }
    }
}
