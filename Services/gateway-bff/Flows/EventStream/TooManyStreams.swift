import HTTPCore

/// 429: everything that may watch at once does so already.
enum TooManyStreams: String, HTTPFailure {
    case ofSubject = "subject"
    case ofTenant = "tenant"

    var problem: ProblemDescription {
        let title =
            switch self {
            case .ofSubject:
                LocalizedText(zh: "您同时打开的事件流过多，请先关闭一些", en: "You have too many event streams open; close some first")
            case .ofTenant:
                LocalizedText(zh: "贵企业同时打开的事件流过多", en: "Your tenant has too many event streams open")
            }
        return ProblemDescription(
            status: .tooManyRequests, code: "stream.too_many_open", title: title, retryable: true, headers: ["Retry-After": "15"])
    }
}
