public import ConcurrencySupport
public import FoundationEssentials
public import HTTPCore
import Observability

/// One request as a handler sees it: everything has been copied out of the connection.
public struct Request: Sendable {
    public var method: HTTPMethod
    /// The path as it was sent: not decoded, without the query.
    public let path: String
    /// The path's parts, percent-decoded. Empty for `/`, and where ``isPathMalformed``.
    public let pathSegments: [String]
    /// What follows the `?`, as sent; `nil` without one.
    public let rawQuery: String?
    /// Decoded query parameters in their order, `+` as space. A malformed one never reaches a handler of a ``Router``.
    public let query: [(name: String, value: String)]
    public var headers: HTTPHeaders
    public var body: [UInt8]
    /// The body piece by piece; read it once. Where the route does not stream, or in process, it is ``body``.
    public var incoming: IncomingBody { IncomingBody(intake: intake ?? BodyIntake(whole: body)) }
    /// Numeric address of the other end of the connection; behind a proxy that is the proxy's.
    public let peerAddress: String

    /// The `{name}` parts of the matched pattern.
    public internal(set) var parameters = PathParameters()
    /// The route that matched; `nil` where none did.
    public var route: RouteInfo? { match?.info }
    /// Whether a route's handler will see it, if the middleware lets it: it is not refused for its path, method, query or size.
    public var reachesItsRoute: Bool { match != nil && refusal == nil }
    /// After this instant the client has its 504.
    public internal(set) var deadline: Deadline
    /// The client's `X-Request-Id` where it is well-formed, else a new one.
    public internal(set) var requestId: String
    /// The language for texts to people, from `Accept-Language`.
    public var language: LocalizedText.Language { LocalizedText.Language(acceptLanguage: headers["Accept-Language"]) }

    let isPathMalformed: Bool
    let malformedQueryName: String?
    var intake: BodyIntake?
    var match: Route?
    /// Why the matched route will not see this request.
    var refusal: (any HTTPFailure)?
    /// Set where the path exists for other methods only.
    var allowedMethods: [HTTPMethod]?
    private var values: [ObjectIdentifier: any Sendable] = [:]

    /// - Parameter target: path and query as in the request line.
    public init(
        _ method: HTTPMethod, _ target: String, headers: HTTPHeaders = [:], body: [UInt8] = [], peerAddress: String = "127.0.0.1"
    ) {
        self.method = method
        self.headers = headers
        self.body = body
        self.peerAddress = peerAddress
        self.deadline = .after(RouteOptions.defaultDeadline)
        self.requestId = ""
        let parts = target.utf8.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        let rawPath = parts[0]
        self.path = String(decoding: rawPath, as: UTF8.self)
        let segments = RequestTarget.segments(of: rawPath)
        self.pathSegments = segments ?? []
        self.isPathMalformed = segments == nil
        if parts.count > 1 {
            self.rawQuery = String(decoding: parts[1], as: UTF8.self)
            (self.query, self.malformedQueryName) = RequestTarget.query(parts[1])
        } else {
            self.rawQuery = nil
            self.query = []
            self.malformedQueryName = nil
        }
    }

    /// A reader over ``query`` that collects every issue.
    public func queryReader() -> QueryReader { QueryReader(query) }

    /// For a handler that reads no query parameters.
    ///
    /// - Throws: `ValidationFailure` that names those that were sent.
    public func refuseParameters() throws {
        guard !query.isEmpty else { return }
        var reader = queryReader()
        try reader.finish()
    }

    /// The body as JSON.
    ///
    /// - Throws: ``UnsupportedMediaType`` unless `Content-Type` is `application/json` or `…+json`, and its `charset`, which JSON has none of
    ///   (RFC 8259, section 11), says nothing but UTF-8; ``JSONParsingError``.
    public func json() throws -> JSONValue {
        guard let type = mediaType, type == "application/json" || (type.hasPrefix("application/") && type.hasSuffix("+json"))
        else { throw UnsupportedMediaType() }
        guard charset.map({ $0 == "utf-8" || $0 == "utf8" }) ?? true else {
            throw UnsupportedMediaType(expected: ["application/json; charset=utf-8"])
        }
        return try JSONValue(parsing: body)
    }

    /// The parameter `charset` of `Content-Type`, lower case.
    private var charset: String? {
        guard let header = headers["Content-Type"], header.contains(";") else { return nil }
        for parameter in header.split(separator: ";").dropFirst() {
            let parts = parameter.split(separator: "=", maxSplits: 1).map { $0.lowercased().filter { $0 != " " && $0 != "\t" } }
            if parts.count == 2, parts[0] == "charset" { return parts[1].filter { $0 != "\"" } }
        }
        return nil
    }

    /// The media type of `Content-Type`, lower case, without parameters.
    public var mediaType: String? {
        headers["Content-Type"]?.split(separator: ";").first.map { $0.lowercased().filter { $0 != " " && $0 != "\t" } }
    }

    /// What a middleware found out and handlers need, e.g. the principal.
    public subscript<Key: RequestKey>(key: Key.Type) -> Key.Value? {
        get { values[ObjectIdentifier(key)] as? Key.Value }
        set { values[ObjectIdentifier(key)] = newValue }
    }
}

/// Names a value that middleware attaches to a request.
public protocol RequestKey {
    associatedtype Value: Sendable
}

/// The `{name}` parts of a path. Whatever is malformed is 404: such a thing cannot exist.
public struct PathParameters: Sendable {
    private var values: [(name: String, value: String)] = []

    init() {}

    init(names: [String], values: [String]) { self.values = zip(names, values).map { ($0, $1) } }

    public subscript(name: String) -> String? { values.first { $0.name == name }?.value }

    /// - Throws: ``NotFound``.
    public func string(_ name: String) throws -> String {
        guard let value = self[name] else { throw NotFound() }
        return value
    }

    /// - Throws: ``NotFound`` unless it is a UUID in its usual text form.
    public func uuid(_ name: String) throws -> UUID {
        guard let uuid = UUID(text: try string(name)) else { throw NotFound() }
        return uuid
    }

    /// - Throws: ``NotFound`` unless it is a whole number in the range.
    public func integer(_ name: String, in range: ClosedRange<Int> = 0...Int.max) throws -> Int {
        guard let number = Int(try string(name)), range.contains(number) else { throw NotFound() }
        return number
    }

    /// - Throws: ``NotFound`` for any other word.
    public func choice<Choice: RawRepresentable>(_ name: String, of type: Choice.Type) throws -> Choice
    where Choice.RawValue == String {
        guard let choice = Choice(rawValue: try string(name)) else { throw NotFound() }
        return choice
    }
}

/// Decoding of the request line's target.
enum RequestTarget {
    typealias Bytes = Substring.UTF8View.SubSequence

    /// - Returns: `nil` for a broken escape, invalid UTF-8, U+0000, or a path that does not begin with `/`.
    static func segments(of path: Bytes) -> [String]? {
        guard path.first == UInt8(ascii: "/") else { return nil }
        guard path.count > 1 else { return [] }
        var segments: [String] = []
        for part in path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard let segment = decode(part, plusIsSpace: false) else { return nil }
            segments.append(segment)
        }
        return segments
    }

    static func query(_ query: Bytes) -> (parameters: [(name: String, value: String)], malformed: String?) {
        var parameters: [(name: String, value: String)] = []
        for part in query.split(separator: UInt8(ascii: "&")) {
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decode(pair[0], plusIsSpace: true) else {
                return (parameters, String(decoding: pair[0], as: UTF8.self))
            }
            guard let value = pair.count > 1 ? decode(pair[1], plusIsSpace: true) : "" else { return (parameters, name) }
            parameters.append((name, value))
        }
        return (parameters, nil)
    }

    private static func decode(_ part: Bytes, plusIsSpace: Bool) -> String? {
        if isPlain(part, plusIsSpace) { return String(Substring(part)) }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(part.count)
        var rest = part[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else {
                    return nil
                }
                decoded.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: decoded.append(0x20)
            default: decoded.append(byte)
            }
        }
        // No store takes U+0000.
        guard !decoded.contains(0) else { return nil }
        return String(validating: decoded, as: UTF8.self)
    }

    /// Whether it stands for itself, as most do.
    private static func isPlain(_ part: Bytes, _ plusIsSpace: Bool) -> Bool {
        part.withContiguousStorageIfAvailable { bytes in
            bytes.allSatisfy { $0 != UInt8(ascii: "%") && $0 != 0 && !(plusIsSpace && $0 == UInt8(ascii: "+")) }
        } ?? false
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
