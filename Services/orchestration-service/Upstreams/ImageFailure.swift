import FoundationEssentials
import HTTPCalling
import HTTPCore

/// Why there is no picture, and whether one was made (and will be on the bill) all the same.
///
/// Law 1: an answer that never came whole is *unknown*. An error that the service wrote itself is *not made*: OpenAI's services charge for
/// pictures only. A success whose picture cannot be used is *made*.
struct ImageFailure: Error, Equatable {
    enum Kind: Sendable, Equatable {
        /// Too many calls; worth another try in a moment.
        case busy
        /// Down, or the connection was never made; worth another try in a moment.
        case unavailable
        /// The service's content policy. Never put to another model.
        case policy
        /// Our request is not what the service takes.
        case rejected
        /// Key, balance, region or model name.
        case misconfigured
        /// Nobody knows whether the picture was made.
        case unconfirmed
        /// Made, but its address does not hand it over just now; worth another try as long as the address lives.
        case unfetched
        /// Made, but what came is no picture that can be kept.
        case unusable
    }

    enum Certainty: Sendable, Equatable { case notMade, unknown, made }

    var kind: Kind
    /// For the log.
    var message: String
    var retryAfter: Duration?

    init(_ kind: Kind, message: String, retryAfter: Duration? = nil) {
        self.kind = kind
        self.message = message
        self.retryAfter = retryAfter
    }

    var certainty: Certainty {
        switch kind {
        case .busy, .unavailable, .policy, .rejected, .misconfigured: .notMade
        case .unconfirmed: .unknown
        case .unfetched, .unusable: .made
        }
    }

    // MARK: What an answer means

    /// An answer that is no 200. A 5xx without the service's own error in it, such as a proxy's page, may hide a picture.
    static func refused(_ response: ClientResponse, secondsSince1970 now: Double) -> ImageFailure {
        let status = response.status.code
        let error = (try? JSONValue(parsing: response.body))?["error"]
        let code = error?["code"]?.string ?? ""
        let type = error?["type"]?.string ?? ""
        let message = "HTTP \(status)" + [type, code].filter { !$0.isEmpty }.map { " \($0.prefix(60))" }.joined()
        let hint = RetryAfter.parse(response.headers, secondsSince1970: now)
        if ["content_policy_violation", "moderation_blocked", "content_filter"].contains(code) {
            return ImageFailure(.policy, message: message)
        }
        if code == "insufficient_quota" || type == "insufficient_quota" || code == "billing_hard_limit_reached" {
            return ImageFailure(.misconfigured, message: message)
        }
        switch status {
        case 401, 402, 403, 404: return ImageFailure(.misconfigured, message: message)
        case 408: return ImageFailure(.unconfirmed, message: message)
        case 429: return ImageFailure(.busy, message: message, retryAfter: hint)
        case 400...499: return ImageFailure(.rejected, message: message)
        case 500...599 where error?.object != nil: return ImageFailure(.unavailable, message: message, retryAfter: hint)
        default: return ImageFailure(.unconfirmed, message: message)
        }
    }

    /// No whole answer to the request for a picture.
    static func broken(_ error: HTTPClientError) -> ImageFailure {
        switch error.kind {
        // A whole answer was on its way, and it was a success or an error's page of megabytes.
        case .responseTooLarge: ImageFailure(.unusable, message: "the answer is too large")
        case _ where !error.requestMayHaveStarted: ImageFailure(.unavailable, message: error.description)
        default: ImageFailure(.unconfirmed, message: error.description)
        }
    }

    /// An answer of a picture's address that is no 200. The picture is paid for: it is given up only where the address says that it is gone
    /// or was never ours, or points elsewhere.
    static func withheld(_ response: ClientResponse, secondsSince1970 now: Double) -> ImageFailure {
        let message = "the picture's address answered HTTP \(response.status)"
        switch response.status.code {
        case 408, 425, 429, 500...599:
            return ImageFailure(
                .unfetched, message: message, retryAfter: RetryAfter.parse(response.headers, secondsSince1970: now))
        default: return ImageFailure(.unusable, message: message)
        }
    }

    /// No whole answer from a picture's address. The picture is paid for and still there.
    static func lost(_ error: HTTPClientError) -> ImageFailure {
        switch error.kind {
        case .responseTooLarge, .malformed: ImageFailure(.unusable, message: error.description)
        default: ImageFailure(.unfetched, message: error.description)
        }
    }
}

extension ImageFailure: HTTPFailure {
    var problem: ProblemDescription {
        func description(_ status: HTTPStatus, _ code: String, _ zh: String, _ en: String) -> ProblemDescription {
            var headers = HTTPHeaders()
            if let retryAfter { headers["Retry-After"] = String(max(1, retryAfter.components.seconds)) }
            return ProblemDescription(
                status: status, code: "image.\(code)", title: LocalizedText(zh: zh, en: en),
                retryable: [.busy, .unavailable, .unfetched].contains(kind), headers: headers)
        }
        return switch kind {
        case .busy: description(.serviceUnavailable, "busy", "图片服务繁忙，稍后可重试", "The image service is busy")
        case .unavailable: description(.serviceUnavailable, "unavailable", "图片服务暂不可用，稍后可重试", "The image service is not available")
        case .policy:
            description(
                .unprocessableContent, "policy_refused", "画面提示词未通过图片服务的内容审核，请修改后再试",
                "The image service refused the prompt by its content policy")
        case .rejected: description(.badGateway, "rejected", "图片服务不接受该请求", "The image service does not take the request")
        case .misconfigured:
            description(
                .badGateway, "misconfigured", "图片服务的密钥、余额或模型设置有误，请联系管理员",
                "The image service's key, balance or model is not right")
        case .unconfirmed:
            description(
                .badGateway, "unconfirmed", "图片服务没有给出完整答复，图片可能已生成并计费；确认后可再次配图",
                "The image service gave no whole answer: the picture may have been made and charged for")
        case .unfetched:
            description(
                .serviceUnavailable, "unfetched", "图片已生成，但暂时无法下载", "The picture was made, but cannot be fetched at the moment")
        case .unusable: description(.badGateway, "unusable", "图片服务返回的内容不是可用的图片", "What the image service answered is no picture")
        }
    }
}
