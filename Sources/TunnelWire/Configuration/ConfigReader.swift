/// A mistake in the configuration file, with its place.
package struct ConfigMistake: Hashable, Sendable {
    package var pointer: String
    package var line: Int
    package var column: Int
    package var text: String

    package init(pointer: String, line: Int, column: Int, text: String) {
        self.pointer = pointer
        self.line = line
        self.column = column
        self.text = text
    }
}

/// Reads one value of the configuration and notes what is wrong with it; reading goes on, so that all mistakes are told.
package struct ConfigReader {
    /// The mistakes of one file.
    package final class Mistakes {
        private let places: JSONPlaces
        package private(set) var all: [ConfigMistake] = []

        package init(places: JSONPlaces) { self.places = places }

        package func add(_ text: String, at pointer: JSONPointer) {
            let place = places.place(of: pointer)
            all.append(
                ConfigMistake(
                    pointer: pointer.description.isEmpty ? "/" : pointer.description, line: place.line, column: place.column,
                    text: text))
        }
    }

    package let value: JSONValue
    package let pointer: JSONPointer
    package let mistakes: Mistakes

    package init(value: JSONValue, pointer: JSONPointer, mistakes: Mistakes) {
        self.value = value
        self.pointer = pointer
        self.mistakes = mistakes
    }

    package func complain(_ text: String) { mistakes.add(text, at: pointer) }

    // MARK: Objects

    /// The member's value, or nil when there is none.
    package func member(_ name: String) -> ConfigReader? {
        value[name].map { ConfigReader(value: $0, pointer: pointer.appending(name), mistakes: mistakes) }
    }

    package func required(_ name: String) -> ConfigReader? {
        if let member = member(name) { return member }
        complain("“\(name)” is missing")
        return nil
    }

    /// Whether it is an object, of these members only.
    @discardableResult
    package func isObject(of names: [String]) -> Bool {
        guard case .object(let members) = value else {
            complain("\(value.kindDescription) stands here; an object is needed")
            return false
        }
        for member in members where !names.contains(member.name) {
            mistakes.add(
                "“\(member.name)” is unknown here; there are \(names.joined(separator: ", "))",
                at: pointer.appending(member.name))
        }
        return true
    }

    // MARK: Values

    package var string: String? {
        guard case .string(let text) = value else {
            complain("\(value.kindDescription) stands here; a string is needed")
            return nil
        }
        return text
    }

    package var nonemptyString: String? {
        guard let text = string else { return nil }
        if text.isEmpty { complain("the text is empty") }
        return text.isEmpty ? nil : text
    }

    package var bool: Bool? {
        guard case .bool(let isTrue) = value else {
            complain("\(value.kindDescription) stands here; true or false is needed")
            return nil
        }
        return isTrue
    }

    package func integer(in range: ClosedRange<Int>, unit: String = "") -> Int? {
        guard case .number(let digits) = value, let number = Int(digits), range.contains(number) else {
            let unit = unit.isEmpty ? "" : " \(unit)"
            complain("a whole number from \(range.lowerBound) to \(range.upperBound)\(unit) is needed")
            return nil
        }
        return number
    }

    package func number(in range: ClosedRange<Double>) -> Double? {
        guard case .number(let digits) = value, let number = Double(digits), range.contains(number) else {
            complain("a number from \(range.lowerBound) to \(range.upperBound) is needed")
            return nil
        }
        return number
    }

    package var elements: [ConfigReader] {
        guard case .array(let elements) = value else {
            complain("\(value.kindDescription) stands here; an array is needed")
            return []
        }
        return elements.enumerated().map { index, element in
            ConfigReader(value: element, pointer: pointer.appending(String(index)), mistakes: mistakes)
        }
    }

    package var strings: [String] { elements.compactMap(\.string) }

    package var members: [(name: String, reader: ConfigReader)] {
        guard case .object(let members) = value else {
            complain("\(value.kindDescription) stands here; an object is needed")
            return []
        }
        return members.map {
            ($0.name, ConfigReader(value: $0.value, pointer: pointer.appending($0.name), mistakes: mistakes))
        }
    }

    /// One of several words.
    package func word<Word: RawRepresentable & CaseIterable>(_ type: Word.Type) -> Word? where Word.RawValue == String {
        guard let text = string else { return nil }
        if let word = Word(rawValue: text) { return word }
        complain("“\(text)” is unknown; there are \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
        return nil
    }

    package var jsonPointer: JSONPointer? {
        guard let text = string else { return nil }
        if let pointer = JSONPointer(text) { return pointer }
        complain("“\(text)” is no JSON pointer; one looks like /repository/full_name")
        return nil
    }

    package var fieldName: String? {
        guard let text = nonemptyString else { return nil }
        guard HTTPSyntax.isToken(Array(text.utf8).span) else {
            complain("“\(text)” is no name of a header field")
            return nil
        }
        return text.lowercased()
    }
}
