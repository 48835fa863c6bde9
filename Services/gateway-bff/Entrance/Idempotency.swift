import FoundationEssentials
import HTTPCore
import HTTPServing

/// `Idempotency-Key` (design §4; draft-ietf-httpapi-idempotency-key-header-07): same key and body → the stored answer; in flight → 409;
/// other body → 422. Scope: tenant, principal and route.
enum Idempotency {
    /// An answer as it was given the first time.
    struct StoredResponse: Sendable, Equatable {
        let status: Int
        let headers: [String: String]
        let body: [UInt8]

        init(status: Int, headers: [String: String], body: [UInt8]) {
            self.status = status
            self.headers = headers
            self.body = body
        }

        /// - Returns: `nil` if the answer does not settle the operation.
        init?(settling response: Response) {
            guard Idempotency.settles(response.status), case .bytes(let body) = response.body else { return nil }
            var headers: [String: String] = [:]
            for name in Idempotency.storedHeaders { headers[name] = response.headers[name] }
            self.init(status: response.status.code, headers: headers, body: body)
        }

        /// Without these members of its JSON object.
        func leavingOut(_ members: [String]) -> StoredResponse {
            guard case .object(var object)? = try? JSONValue(parsing: body) else { return self }
            for member in members { object[member] = nil }
            return StoredResponse(status: status, headers: headers, body: JSONValue.object(object).encode())
        }
    }

    /// What became of an attempt to take a key.
    enum Claim: Sendable, Equatable {
        /// Go ahead. The operation id is the same for every attempt under this key.
        case granted(operationId: UUID, claimId: UUID)
        case replay(StoredResponse)
        case inFlight
        case otherBody
    }

    /// Only these answer headers are worth repeating; the rest belongs to one transport.
    static let storedHeaders = ["Content-Type", "Location", "ETag"]

    /// An answer that settles the operation is stored. The others leave the key open: the client may come again, and the services will
    /// find what they have already done under the operation id.
    static func settles(_ status: HTTPStatus) -> Bool {
        switch status.code {
        case 200..<400: true
        case 401, 403, 408, 409, 425, 429: false
        case 400..<500: true
        default: false
        }
    }

    /// 1–255 visible ASCII characters.
    static func isWellFormed(key: String) -> Bool {
        (1...255).contains(key.utf8.count) && key.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    enum Failure: HTTPFailure {
        case malformedKey
        case streamed
        case inFlight
        case otherBody

        var problem: ProblemDescription {
            switch self {
            case .malformedKey:
                ProblemDescription(
                    status: .badRequest, code: "idempotency.malformed_key",
                    title: LocalizedText(zh: "Idempotency-Key 格式不正确", en: "Malformed Idempotency-Key"),
                    issues: [
                        FieldIssue(
                            pointer: "Idempotency-Key", code: "malformed",
                            message: LocalizedText(zh: "应为 1–255 个可见 ASCII 字符", en: "Must be 1–255 visible ASCII characters"))
                    ])
            case .streamed:
                ProblemDescription(
                    status: .badRequest, code: "idempotency.not_for_streams",
                    title: LocalizedText(
                        zh: "流式回答不能使用 Idempotency-Key", en: "A streamed answer cannot have an Idempotency-Key"),
                    issues: [
                        FieldIssue(
                            pointer: "Idempotency-Key", code: "not_for_streams",
                            message: LocalizedText(
                                zh: "流无法重放：请去掉此键，或不要在 Accept 中要求 text/event-stream",
                                en: "A stream cannot be repeated: leave the key out, or text/event-stream out of Accept"))
                    ])
            case .inFlight:
                ProblemDescription(
                    status: .conflict, code: "idempotency.in_flight",
                    title: LocalizedText(zh: "相同的请求正在处理中", en: "The same request is still being worked on"), retryable: true,
                    headers: ["Retry-After": "1"])
            case .otherBody:
                ProblemDescription(
                    status: .unprocessableContent, code: "idempotency.key_reused",
                    title: LocalizedText(
                        zh: "该 Idempotency-Key 已用于另一个请求", en: "This Idempotency-Key was used for another request"),
                    issues: [
                        FieldIssue(
                            pointer: "Idempotency-Key", code: "reused",
                            message: LocalizedText(
                                zh: "请求内容与首次不同，请换一个新的键", en: "The request differs from the first one; use a new key"))
                    ])
            }
        }
    }
}
