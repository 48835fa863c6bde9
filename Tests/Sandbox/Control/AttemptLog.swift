import Cryptography
import Glibc

/// One request to a vendor, and what came of it.
struct Attempt: Sendable {
    struct Outcome: Sendable {
        /// The HTTP status, or `reset`, `hung`, `cut`…: what the client was meant to see.
        var result: String
        var fault: Fault?
        var clientClosedEarly: Bool
    }

    var number = 0
    var profile: String
    var method: String
    var path: String
    var headers: [(name: String, value: String)]
    var body: [UInt8]
    /// Milliseconds since 1970.
    var arrivedAt: Int
    var endedAt: Int?
    var outcome: Outcome?

    init(request: IncomingRequest, profile: String) {
        self.profile = profile
        method = request.method
        path = request.path
        headers = request.headers
        body = Array(request.body.prefix(256 * 1_024))
        arrivedAt = Self.now()
    }

    static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
    }

    /// The key itself is never kept in an answer: only its hash.
    var json: JSON {
        let fields = headers.map { header -> JSON.Member in
            let name = header.name.lowercased()
            let isSecret = name == "authorization" || name == "api-key" || name == "x-api-key"
            return JSON.Member(
                name: name, value: .string(isSecret ? "sha256:" + Self.hash(Array(header.value.utf8)) : header.value))
        }
        let duration = endedAt.map { $0 - arrivedAt }
        return .make([
            "number": .int(number), "profile": .string(profile), "arrivedAtMs": .int(arrivedAt), "method": .string(method),
            "path": .string(path), "headers": .object(fields), "body": .string(String(decoding: body, as: UTF8.self)),
            "bodySha256": .string(Self.hash(body)), "fault": outcome?.fault.map { .string($0.rawValue) } ?? .null,
            "outcome": outcome.map { .string($0.result) } ?? .string("in-flight"),
            "durationMs": duration.map { .int($0) } ?? .null,
            "clientClosedEarly": .bool(outcome?.clientClosedEarly ?? false),
            "clientClosedAfterMs": outcome?.clientClosedEarly == true ? duration.map { .int($0) } ?? .null : .null,
        ])
    }

    private static func hash(_ bytes: [UInt8]) -> String { Hex.encode(SHA256.hash(bytes)) }
}

/// The latest attempts; hashes and texts are made only when somebody reads them.
struct AttemptLog: Sendable {
    private static let limit = 10_000
    private var attempts: [Attempt] = []
    private var nextNumber = 1

    mutating func append(_ attempt: Attempt) -> Int {
        if attempts.count >= Self.limit { attempts.removeFirst(Self.limit / 2) }
        var attempt = attempt
        attempt.number = nextNumber
        attempts.append(attempt)
        nextNumber += 1
        return attempt.number
    }

    mutating func finish(_ number: Int, _ outcome: Attempt.Outcome) {
        guard let first = attempts.first?.number, attempts.indices.contains(number - first) else { return }
        attempts[number - first].endedAt = Attempt.now()
        attempts[number - first].outcome = outcome
    }

    /// `?profile=`, `?contains=` (in the body or the headers' values), `?after=` (a number).
    func json(filter: [String: String]) -> JSON {
        let chosen = attempts.filter { attempt in
            if let profile = filter["profile"], attempt.profile != profile { return false }
            if let after = filter["after"].flatMap({ Int($0) }), attempt.number <= after { return false }
            if let text = filter["contains"] {
                return String(decoding: attempt.body, as: UTF8.self).contains(text)
                    || attempt.headers.contains { $0.value.contains(text) }
            }
            return true
        }
        return .make(["total": .int(nextNumber - 1), "attempts": .array(chosen.map(\.json))])
    }
}
