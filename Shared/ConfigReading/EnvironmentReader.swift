/// Reads typed settings from environment variables and remembers every problem, so that ``finish()`` can report all of them at once.
///
/// A key `NAME` may also be given as `NAME_FILE`: the path of a file whose content, without its last line break, is the value (this is how
/// Vault agents and Kubernetes hand secrets over). An empty variable counts as absent. After a problem the getters return a stand-in of
/// the right type; ``finish()`` then throws, so that no stand-in is ever used.
///
///     var reader = EnvironmentReader(environment)
///     let port = reader.int("PORT", default: 8080, in: 0...65535)
///     let database = reader.secret("DATABASE_URL")
///     try reader.finish()
public struct EnvironmentReader {
    private let environment: [String: String]
    private var problems: [ConfigurationError.Problem] = []

    public init(_ environment: [String: String]) { self.environment = environment }

    // MARK: - Text

    /// A required text, or one with a default.
    public mutating func string(_ key: String, default fallback: String? = nil) -> String {
        required(key, default: fallback, standIn: "") { .success($0) }
    }

    public mutating func optionalString(_ key: String) -> String? { value(of: key) }

    /// Items between commas, without the white space around them and without empty ones.
    public mutating func list(_ key: String, default fallback: [String]? = nil) -> [String] {
        required(key, default: fallback, standIn: []) { text in
            .success(text.split(separator: ",").map { trimmed($0) }.filter { !$0.isEmpty })
        }
    }

    /// `name=value` pairs between commas, e.g. `gateway-bff=abc,agent-center=def`. A name given twice is a problem.
    public mutating func pairs(_ key: String, default fallback: [String: String]? = nil) -> [String: String] {
        required(key, default: fallback, standIn: [:]) { text in
            var pairs: [String: String] = [:]
            for item in text.split(separator: ",") where !trimmed(item).isEmpty {
                let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, !trimmed(parts[0]).isEmpty else {
                    return .failure(.init("must be name=value pairs between commas"))
                }
                guard pairs.updateValue(trimmed(parts[1]), forKey: trimmed(parts[0])) == nil else {
                    return .failure(.init("names '\(trimmed(parts[0]))' twice"))
                }
            }
            return .success(pairs)
        }
    }

    /// An absolute URL with one of the schemes and a host; a `/` at the end is cut off.
    public mutating func url(
        _ key: String, default fallback: String? = nil, schemes: [String] = ["http", "https"]
    ) -> String {
        required(key, default: fallback, standIn: "") { parseURL($0, schemes: schemes) }
    }

    public mutating func optionalURL(_ key: String, schemes: [String] = ["http", "https"]) -> String? {
        optional(key) { parseURL($0, schemes: schemes) }
    }

    // MARK: - Numbers, switches, times, choices

    public mutating func int(
        _ key: String, default fallback: Int? = nil, in range: ClosedRange<Int> = .min ... .max
    ) -> Int {
        required(key, default: fallback, standIn: range.lowerBound) { text in
            guard let number = Int(text) else { return .failure(.init("'\(text)' is not a whole number")) }
            guard range.contains(number) else {
                return .failure(.init("\(number) is not between \(range.lowerBound) and \(range.upperBound)"))
            }
            return .success(number)
        }
    }

    /// `true`/`false`, `yes`/`no`, `on`/`off`, `1`/`0`, in any case.
    public mutating func bool(_ key: String, default fallback: Bool? = nil) -> Bool {
        required(key, default: fallback, standIn: false) { text in
            switch text.lowercased() {
            case "true", "yes", "on", "1": .success(true)
            case "false", "no", "off", "0": .success(false)
            default: .failure(.init("'\(text)' is neither true nor false"))
            }
        }
    }

    /// A whole number with a unit: `500ms`, `5s`, `2m`, `1h`.
    public mutating func duration(
        _ key: String, default fallback: Duration? = nil, in range: ClosedRange<Duration> = .zero ... .seconds(86_400 * 366)
    ) -> Duration {
        required(key, default: fallback, standIn: range.lowerBound) { text in
            guard let duration = parseDuration(text) else {
                return .failure(.init("'\(text)' is not a duration such as 500ms, 5s, 2m or 1h"))
            }
            guard range.contains(duration) else {
                return .failure(.init("\(text) is not between \(range.lowerBound) and \(range.upperBound)"))
            }
            return .success(duration)
        }
    }

    /// One of an enumeration's raw values.
    public mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, of type: Choice.Type = Choice.self, default fallback: Choice
    ) -> Choice where Choice.RawValue == String {
        required(key, default: fallback, standIn: fallback) { text in
            guard let choice = Choice(rawValue: text) else {
                let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
                return .failure(.init("'\(text)' is not one of \(all)"))
            }
            return .success(choice)
        }
    }

    // MARK: - Secrets

    /// Like ``string(_:default:)``; the value never stands in an error.
    public mutating func secret(_ key: String, default fallback: Secret? = nil) -> Secret {
        required(key, default: fallback, standIn: Secret("")) { .success(Secret($0)) }
    }

    public mutating func optionalSecret(_ key: String) -> Secret? { value(of: key).map(Secret.init) }

    // MARK: - Problems

    /// Adds a problem that the caller found itself, e.g. that a secret has the wrong length. The text must not hold the value.
    public mutating func report(_ key: String, _ message: String) {
        problems.append(.init(key: key, message: message))
    }

    /// - Throws: ``ConfigurationError`` with every problem met so far, in the order of reading.
    public func finish() throws(ConfigurationError) {
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
    }

    // MARK: - Reading

    private mutating func required<Value>(
        _ key: String, default fallback: Value?, standIn: Value, _ parse: (String) -> Result<Value, Malformed>
    ) -> Value {
        let before = problems.count
        if let value = optional(key, parse) { return value }
        if problems.count > before { return standIn }
        if let fallback { return fallback }
        report(key, "is not set (nor \(key)_FILE)")
        return standIn
    }

    private mutating func optional<Value>(_ key: String, _ parse: (String) -> Result<Value, Malformed>) -> Value? {
        guard let text = value(of: key) else { return nil }
        switch parse(text) {
        case .success(let value): return value
        case .failure(let problem):
            report(key, problem.message)
            return nil
        }
    }

    private mutating func value(of key: String) -> String? {
        let direct = environment[key].flatMap { $0.isEmpty ? nil : $0 }
        guard let path = environment["\(key)_FILE"], !path.isEmpty else { return direct }
        guard direct == nil else {
            report(key, "is set twice: as \(key) and as \(key)_FILE")
            return nil
        }
        switch readSmallFile(path) {
        case .success(let text) where text.isEmpty:
            report(key, "is empty in the file '\(path)' named by \(key)_FILE")
            return nil
        case .success(let text): return text
        case .failure(let problem):
            report(key, "cannot be read from the file '\(path)' named by \(key)_FILE: \(problem.reason)")
            return nil
        }
    }
}

/// Everything that is wrong with the environment, in one error for people to read.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    public struct Problem: Equatable, Sendable {
        public let key: String
        public let message: String

        public init(key: String, message: String) {
            self.key = key
            self.message = message
        }
    }

    public let problems: [Problem]

    public init(problems: [Problem]) { self.problems = problems }

    public var description: String {
        "The configuration has \(problems.count) problem\(problems.count == 1 ? "" : "s"):\n"
            + problems.map { "  \($0.key) \($0.message)" }.joined(separator: "\n")
    }
}

// MARK: - Parsing

private struct Malformed: Error {
    let message: String
    init(_ message: String) { self.message = message }
}

private func parseURL(_ text: String, schemes: [String]) -> Result<String, Malformed> {
    // The text itself is left out of the problem: a URL may carry a password.
    guard let scheme = schemes.first(where: { text.lowercased().hasPrefix("\($0)://") }) else {
        return .failure(.init("is not a URL that begins with \(schemes.map { "\($0)://" }.joined(separator: " or "))"))
    }
    let rest = text.dropFirst(scheme.count + 3)
    guard let first = rest.first, !"/:?#".contains(first), !text.contains(where: \.isWhitespace) else {
        return .failure(.init("is a URL without a host, or with a space in it"))
    }
    var url = text
    while url.hasSuffix("/") { url.removeLast() }
    return .success(url)
}

private func trimmed(_ text: Substring) -> String {
    var text = text
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
}

private func parseDuration(_ text: String) -> Duration? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    // Ten digits are months in milliseconds, and cannot overflow below.
    guard !digits.isEmpty, digits.count <= 10, let number = Int64(digits) else { return nil }
    switch text.dropFirst(digits.count) {
    case "ms": return .milliseconds(number)
    case "s": return .seconds(number)
    case "m": return .seconds(number * 60)
    case "h": return .seconds(number * 3_600)
    default: return nil
    }
}
