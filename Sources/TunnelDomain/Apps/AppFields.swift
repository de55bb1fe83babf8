/// The bounds of what people say about an app.
public enum AppFields {
    /// The most Unicode scalars of a name; at least one is needed.
    public static let nameScalarCountMax = 100

    /// Refuses an empty name, one of more than ``nameScalarCountMax`` Unicode scalars, and control characters.
    public static func check(name: String) throws(AppFieldError) {
        let count = name.unicodeScalars.count
        guard count > 0 else { throw .nameEmpty }
        guard count <= nameScalarCountMax else { throw .nameTooLong(scalarCount: count) }
        // Names are shown in lists and logs, where such a character could forge a line.
        guard name.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else { throw .nameUnprintable }
    }
}

/// A field's value that no app may have; the API answers 422.
public enum AppFieldError: Error, Hashable, Sendable {
    case nameEmpty
    /// More than ``AppFields/nameScalarCountMax`` Unicode scalars.
    case nameTooLong(scalarCount: Int)
    /// A control character, such as a line feed.
    case nameUnprintable

    /// What is wrong and what would be right, in one sentence for people.
    public var explanation: String {
        switch self {
        case .nameEmpty: "The name is empty; send 1 to \(AppFields.nameScalarCountMax) characters."
        case .nameTooLong(let count):
            "The name has \(count) characters; at most \(AppFields.nameScalarCountMax) are allowed."
        case .nameUnprintable: "The name has a control character; send visible characters and spaces only."
        }
    }
}
