import Cryptography

/// Checks Signature Version 4 as S3 does: in the query of a presigned URL or in the headers. Nothing here is shared with whoever signs.
struct S3Signature {
    struct Refusal: Error {
        var status = 403
        let code: String
        let message: String
    }

    let accessKeyId: String
    let secret: String
    let region: String
    /// Seconds since 1970.
    let now: Int

    func check(_ request: IncomingRequest) throws(Refusal) {
        if request.query["X-Amz-Algorithm"] != nil { return try checkQuery(request) }
        guard let header = request.header("authorization"), header.hasPrefix("AWS4-HMAC-SHA256 ") else {
            throw Refusal(code: "AccessDenied", message: "Access Denied")
        }
        try checkHeader(request, header)
    }

    private func checkQuery(_ request: IncomingRequest) throws(Refusal) {
        guard request.query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256", let credential = request.query["X-Amz-Credential"],
            let time = request.query["X-Amz-Date"], let signed = request.query["X-Amz-SignedHeaders"],
            let signature = request.query["X-Amz-Signature"], let date = Self.seconds(time)
        else {
            throw Refusal(
                status: 400, code: "AuthorizationQueryParametersError",
                message: "Query-string authentication version 4 is incomplete")
        }
        guard let expires = request.query["X-Amz-Expires"].flatMap({ Int($0) }) else {
            throw Refusal(status: 400, code: "AuthorizationQueryParametersError", message: "X-Amz-Expires should be a number")
        }
        guard expires >= 0 else {
            throw Refusal(status: 400, code: "AuthorizationQueryParametersError", message: "X-Amz-Expires must be non-negative")
        }
        guard expires <= 604_800 else {
            throw Refusal(
                status: 400, code: "AuthorizationQueryParametersError",
                message:
                    "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds"
            )
        }
        guard date <= now + 900 else { throw Refusal(code: "AccessDenied", message: "Request is not valid yet") }
        guard now <= date + expires else { throw Refusal(code: "AccessDenied", message: "Request has expired") }
        let query = request.rawQuery.split(separator: "&").filter { !$0.hasPrefix("X-Amz-Signature=") }
        try compare(
            request, query: query, signed: signed, payload: "UNSIGNED-PAYLOAD", time: time, credential: credential,
            signature: signature)
    }

    private func checkHeader(_ request: IncomingRequest, _ header: String) throws(Refusal) {
        var fields: [Substring: String] = [:]
        for field in header.dropFirst("AWS4-HMAC-SHA256 ".count).split(separator: ",") {
            let sides = field.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
            if sides.count == 2 { fields[sides[0]] = String(sides[1]) }
        }
        guard let credential = fields["Credential"], let signed = fields["SignedHeaders"], let signature = fields["Signature"],
            let time = request.header("x-amz-date"), let date = Self.seconds(time)
        else {
            throw Refusal(status: 400, code: "AuthorizationHeaderMalformed", message: "The authorization header is malformed")
        }
        guard abs(date - now) <= 900 else {
            throw Refusal(
                code: "RequestTimeTooSkewed",
                message: "The difference between the request time and the server's time is too large.")
        }
        let payload = request.header("x-amz-content-sha256") ?? ""
        let isStreamed = payload == "UNSIGNED-PAYLOAD" || payload.hasPrefix("STREAMING-")
        guard isStreamed || payload == Hex.encode(SHA256.hash(request.body)) else {
            throw Refusal(
                status: 400, code: "XAmzContentSHA256Mismatch",
                message: "The provided 'x-amz-content-sha256' header does not match what was computed.")
        }
        try compare(
            request, query: request.rawQuery.split(separator: "&"), signed: signed, payload: payload, time: time,
            credential: credential, signature: signature)
    }

    private func compare(
        _ request: IncomingRequest, query: [Substring], signed: String, payload: String, time: String, credential: String,
        signature: String
    ) throws(Refusal) {
        let scope = "\(time.prefix(8))/\(region)/s3/aws4_request"
        guard credential.hasPrefix(accessKeyId + "/") else {
            throw Refusal(
                code: "InvalidAccessKeyId", message: "The AWS Access Key Id you provided does not exist in our records.")
        }
        guard credential == "\(accessKeyId)/\(scope)" else {
            throw Refusal(
                status: 400, code: "AuthorizationQueryParametersError", message: "Error parsing the X-Amz-Credential parameter")
        }
        let names = signed.split(separator: ";").map(String.init)
        // What changes the request's meaning must be signed.
        let mustBeSigned = request.headers.map { $0.name.lowercased() }.filter { $0 == "host" || $0.hasPrefix("x-amz-") }
        guard Set(names).isSuperset(of: mustBeSigned) else {
            throw Refusal(code: "AccessDenied", message: "There were headers present in the request which were not signed")
        }
        let headers = names.map { name -> String in
            let value = request.header(name) ?? ""
            return "\(name):\(value.split(separator: " ").joined(separator: " "))\n"
        }
        // Without `=` it stands for an empty value.
        let canonicalQuery = query.map { $0.contains("=") ? String($0) : $0 + "=" }.sorted().joined(separator: "&")
        let canonical = [request.method, request.path, canonicalQuery, headers.joined(), signed, payload].joined(separator: "\n")
        let text = ["AWS4-HMAC-SHA256", time, scope, Hex.encode(SHA256.hash(canonical))].joined(separator: "\n")
        var key = Array("AWS4\(secret)".utf8)
        for part in [String(time.prefix(8)), region, "s3", "aws4_request", text] { key = HMAC.sha256(key: key, Array(part.utf8)) }
        guard Hex.encode(key) == signature else {
            throw Refusal(
                code: "SignatureDoesNotMatch",
                message:
                    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
            )
        }
    }

    /// Of `20130524T000000Z`.
    static func seconds(_ time: String) -> Int? {
        let digits = time.utf8.filter { $0 &- 0x30 <= 9 }.map { Int($0) - 0x30 }
        guard time.utf8.count == 16, digits.count == 14, time.hasSuffix("Z") else { return nil }
        func number(_ range: Range<Int>) -> Int { digits[range].reduce(0) { $0 * 10 + $1 } }
        let (month, day) = (number(4..<6), number(6..<8))
        let year = number(0..<4) - (month <= 2 ? 1 : 0)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = 365 * year + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
        return days * 86_400 + number(8..<10) * 3_600 + number(10..<12) * 60 + number(12..<14)
    }
}
