/// The numbers and texts that came with a fault; from JSON, or as texts from a header or model name.
struct FaultParameters: Sendable {
    var json: JSON

    init(_ json: JSON) { self.json = json }

    func int(_ name: String) -> Int? { json[name]?.int ?? json[name]?.string.flatMap { Int($0) } }
    func string(_ name: String) -> String? { json[name]?.string }
    func bool(_ name: String) -> Bool { json[name]?.bool ?? (json[name]?.string == "true") }
}

/// One order to misbehave.
struct FaultRule: Sendable {
    var fault: Fault
    var parameters: FaultParameters
    /// `nil` = any vendor.
    var profile: String?
    /// Only requests whose body has this text.
    var match: [UInt8]
    /// Only paths that contain this text; without it chat and embeddings.
    var path: String?
    /// How many more requests; `nil` = every one.
    var remaining: Int?
    /// Milliseconds of the monotonic clock.
    var since: Int
    var until: Int?
    var uses = 0

    struct Invalid: Error {
        var message: String
    }

    /// Reads `POST /__control/config`.
    init(_ json: JSON, now: Int) throws(Invalid) {
        guard let name = json["fault"]?.string ?? json["fault"]?.int.map(String.init) else {
            throw Invalid(message: "fault is missing")
        }
        guard let fault = Fault(name: name) else { throw Invalid(message: "unknown fault '\(name)'; see GET /__control/faults") }
        let profile = json["profile"]?.string ?? "any"
        guard ["any", "openai", "deepseek", "s3"].contains(profile) else {
            throw Invalid(message: "unknown profile '\(profile)'")
        }
        self.fault = fault
        parameters = FaultParameters(json)
        self.profile = profile == "any" ? nil : profile
        match = Array((json["match"]?.string ?? "").utf8)
        path = json["path"]?.string
        since = now
        until = json["untilSeconds"]?.double.map { now + Int($0 * 1_000) }
        switch json["count"] {
        case nil: remaining = fault == .scripted || fault == .rawBytes ? max(1, json["answers"]?.array?.count ?? 1) : nil
        case .string("every"): remaining = nil
        case let count?:
            guard let count = count.int, count >= 0 else { throw Invalid(message: "count is a number or \"every\"") }
            remaining = count
        }
        if fault == .rawBytes, json["steps"]?.array == nil, json["answers"]?.array == nil {
            throw Invalid(message: "raw-bytes needs steps")
        }
    }

    /// Reads `name;key=value;…` from a header or after `fault:` in a model's name. `nil` if there is no such fault.
    init?(inline text: some StringProtocol, since: Int) {
        let parts = String(text).split(separator: ";").map { String($0.drop { $0 == " " }) }
        guard let fault = parts.first.flatMap({ Fault(name: $0) }) else { return nil }
        self.fault = fault
        parameters = FaultParameters(
            .object(
                parts.dropFirst().map { part in
                    let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                    return JSON.Member(name: sides[0], value: .string(sides.count > 1 ? sides[1] : "true"))
                }))
        match = []
        self.since = since
        remaining = parameters.int("count")
    }

    func applies(to request: IncomingRequest, profile: String, now: Int) -> Bool {
        if let wanted = self.profile, wanted != profile { return false }
        if remaining == 0 { return false }
        if let until, now >= until { return false }
        if let path {
            guard request.path.contains(path) else { return false }
        } else if request.method != "POST" {
            return false
        }
        return match.isEmpty || request.body.contains(match)
    }
}

extension [UInt8] {
    fileprivate func contains(_ needle: [UInt8]) -> Bool {
        guard let first = needle.first, count >= needle.count else { return false }
        return indices.prefix(count - needle.count + 1).contains { start in
            self[start] == first && self[start..<(start + needle.count)].elementsEqual(needle)
        }
    }
}
