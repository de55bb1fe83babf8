/// The shape of a path: fixed segments, and places where an id stands.
package struct RoutePattern: Sendable, Hashable {
    private enum Segment: Sendable, Hashable {
        case literal(Substring)
        case parameter
    }

    /// As written in the table and in the API's description: `/api/v1/tunnels/{id}`.
    package let text: String
    private let segments: [Segment]

    package init(_ text: String) {
        self.text = text
        segments = RoutePattern.split(text).map { $0.hasPrefix("{") ? .parameter : .literal($0) }
    }

    /// The values of the parameters in order, or nil when the path has another shape.
    package func match(_ path: [Substring]) -> [String]? {
        guard path.count == segments.count else { return nil }
        var parameters: [String] = []
        for (segment, actual) in zip(segments, path) {
            switch segment {
            case .literal(let expected):
                guard expected.utf8.elementsEqual(actual.utf8) else { return nil }
            case .parameter:
                guard !actual.isEmpty else { return nil }
                parameters.append(String(actual))
            }
        }
        return parameters
    }

    /// The segments between slashes; one trailing slash counts for nothing.
    package static func split(_ path: some StringProtocol) -> [Substring] {
        var segments = Substring(path).split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        if segments.count > 1, segments.last?.isEmpty == true { segments.removeLast() }
        return Array(segments)
    }
}
