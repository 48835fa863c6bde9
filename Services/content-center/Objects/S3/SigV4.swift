import ConfigReading
import Cryptography
import FoundationEssentials
import HTTPCore

/// AWS Signature Version 4 for S3 (AWS documentation, "Authenticating Requests", `sigv4-query-string-auth` and
/// `sig-v4-header-based-auth`), as a pure value.
///
/// S3's own rules: the path is encoded once and never normalised, and the payload of a presigned request is not signed.
struct SigV4: Sendable {
    struct Request: Sendable {
        var method: String
        /// With a port where it is not the scheme's own.
        var host: String
        /// Not encoded, e.g. `/bucket/folder/name`.
        var path: String
        /// Not encoded.
        var query: [(name: String, value: String)] = []
        /// Signed beside `host`; names in lower case.
        var headers: [(name: String, value: String)] = []
    }

    /// What S3 takes for a week at most.
    static let longestExpiry = 604_800

    let accessKeyId: String
    let secretAccessKey: Secret
    /// Of temporary credentials.
    var sessionToken: Secret?
    let region: String
    var service = "s3"

    /// The query of a presigned URL, encoded, the signature last.
    ///
    /// - Parameters:
    ///   - date: seconds since 1970.
    ///   - expires: seconds, at most ``longestExpiry``.
    func presignedQuery(_ request: Request, date: Int, expires: Int) -> String {
        let time = Self.timestamp(date)
        let signed = signedHeaders(request)
        var query = request.query
        query += [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", "\(accessKeyId)/\(scope(time))"), ("X-Amz-Date", time),
            ("X-Amz-Expires", "\(expires)"), ("X-Amz-SignedHeaders", signed.map(\.name).joined(separator: ";")),
        ]
        if let sessionToken { query.append(("X-Amz-Security-Token", sessionToken.exposed)) }
        let canonicalQuery = Self.canonical(query)
        let canonical = canonicalRequest(request, query: canonicalQuery, headers: signed, payload: "UNSIGNED-PAYLOAD")
        return canonicalQuery + "&X-Amz-Signature=" + signature(of: canonical, time)
    }

    /// The headers that authorize a request of our own: `Authorization`, `x-amz-date`, `x-amz-content-sha256`.
    func authorization(_ request: Request, payloadHash: String, date: Int) -> [(name: String, value: String)] {
        let time = Self.timestamp(date)
        var request = request
        var added = [("x-amz-content-sha256", payloadHash), ("x-amz-date", time)]
        if let sessionToken { added.append(("x-amz-security-token", sessionToken.exposed)) }
        request.headers += added.map { (name: $0.0, value: $0.1) }
        let signed = signedHeaders(request)
        let canonical = canonicalRequest(request, query: Self.canonical(request.query), headers: signed, payload: payloadHash)
        let names = signed.map(\.name).joined(separator: ";")
        let value =
            "AWS4-HMAC-SHA256 Credential=\(accessKeyId)/\(scope(time)),SignedHeaders=\(names),Signature=\(signature(of: canonical, time))"
        return added.map { (name: $0.0, value: $0.1) } + [(name: "authorization", value: value)]
    }

    // MARK: Steps, as AWS names them

    func canonicalRequest(_ request: Request, query: String, headers: [(name: String, value: String)], payload: String) -> String
    {
        let lines = headers.map { "\($0.name):\(Self.trimmed($0.value))\n" }.joined()
        let names = headers.map(\.name).joined(separator: ";")
        return [request.method, Self.encode(request.path, keepingSlashes: true), query, lines, names, payload].joined(
            separator: "\n")
    }

    /// 32 bytes.
    func signingKey(_ day: String) -> [UInt8] {
        var key = HMAC.sha256(key: Array("AWS4\(secretAccessKey.exposed)".utf8), Array(day.utf8))
        for part in [region, service, "aws4_request"] { key = HMAC.sha256(key: key, Array(part.utf8)) }
        return key
    }

    private func signature(of canonical: String, _ time: String) -> String {
        let text = ["AWS4-HMAC-SHA256", time, scope(time), Hex.encode(SHA256.hash(canonical))].joined(separator: "\n")
        return Hex.encode(HMAC.sha256(key: signingKey(String(time.prefix(8))), Array(text.utf8)))
    }

    private func scope(_ time: String) -> String { "\(time.prefix(8))/\(region)/\(service)/aws4_request" }

    private func signedHeaders(_ request: Request) -> [(name: String, value: String)] {
        ([(name: "host", value: request.host)] + request.headers).sorted { $0.name < $1.name }
    }

    /// By name, then by value, both encoded.
    static func canonical(_ query: [(name: String, value: String)]) -> String {
        query.map { (encode($0.name), encode($0.value)) }.sorted { $0 < $1 }.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    /// Only `A-Za-z0-9-._~` stay, and `/` in paths.
    static func encode(_ text: String, keepingSlashes: Bool = false) -> String {
        keepingSlashes
            ? text.split(separator: "/", omittingEmptySubsequences: false).map(PercentEncoding.encode).joined(separator: "/")
            : PercentEncoding.encode(text)
    }

    private static func trimmed(_ value: String) -> String { value.split(separator: " ").joined(separator: " ") }

    /// Seconds since 1970 of a ``timestamp(_:)``.
    static func seconds(_ timestamp: String) -> Int? {
        let digits = Array(timestamp)
        guard digits.count == 16 else { return nil }
        func part(_ range: Range<Int>) -> String { String(digits[range]) }
        return RFC3339.parse(
            "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))Z"
        ).map { Int($0.timeIntervalSince1970) }
    }

    /// `20130524T000000Z`.
    static func timestamp(_ seconds: Int) -> String {
        var (day, second) = seconds.quotientAndRemainder(dividingBy: 86_400)
        // Days to a civil date, from 0000-03-01 on.
        day += 719_468
        let era = day / 146_097
        let dayOfEra = day % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let date = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func padded(_ number: Int, _ width: Int = 2) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let hour = second / 3_600
        second %= 3_600
        return "\(padded(year, 4))\(padded(month))\(padded(date))T\(padded(hour))\(padded(second / 60))\(padded(second % 60))Z"
    }
}
