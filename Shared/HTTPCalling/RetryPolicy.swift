import FoundationEssentials
public import HTTPCore

/// When a request is sent again, and after how long. A value: the decision is a pure function.
///
/// - Never started (refused, no connection in time): may always be repeated.
/// - Anything later, and answers with one of ``retriedStatuses``: only if the request is idempotent, or the answer says that nothing began.
/// - `Retry-After` (seconds or an HTTP date; also `retry-after-ms`) is honoured. A longer wait than ``maxRetryAfter``, or any wait that
///   would pass the deadline, means that there is no repeat: the answer or error at hand is the result.
public struct RetryPolicy: Sendable {
    /// Attempts altogether; 1 = no repeat.
    public var maxAttempts: Int
    /// Before the second attempt; doubles each time.
    public var baseDelay: Duration
    public var maxDelay: Duration
    /// The part of the delay, 0…1, that chance may take away, so that callers do not come back in step.
    public var jitter: Double
    public var retriedStatuses: Set<Int>
    public var maxRetryAfter: Duration
    /// In an answer of whoever can be believed, this header says that the request was not begun.
    public var unstartedHeader: String?

    public init(
        maxAttempts: Int, baseDelay: Duration = .milliseconds(200), maxDelay: Duration = .seconds(8), jitter: Double = 0.5,
        retriedStatuses: Set<Int> = [408, 425, 429, 500, 502, 503, 504], maxRetryAfter: Duration = .seconds(120),
        unstartedHeader: String? = nil
    ) {
        self.maxAttempts = max(1, maxAttempts)
        self.baseDelay = baseDelay
        self.maxDelay = maxDelay
        self.jitter = min(max(jitter, 0), 1)
        self.retriedStatuses = retriedStatuses
        self.maxRetryAfter = maxRetryAfter
        self.unstartedHeader = unstartedHeader
    }

    public static let never = RetryPolicy(maxAttempts: 1)
    /// Three attempts, 200 ms and 400 ms apart less up to half of it.
    public static let standard = RetryPolicy(maxAttempts: 3)

    /// How an attempt ended, as far as repeating is concerned.
    public enum Outcome: Sendable {
        case answer(HTTPStatus, HTTPHeaders)
        case failure(HTTPClientError)
    }

    /// - Parameters:
    ///   - attempt: the number of attempts made so far, from 1.
    ///   - remaining: until the deadline.
    ///   - secondsSince1970: the wall clock, for `Retry-After` dates.
    ///   - chance: 0..<1; drawn only for a repeat.
    /// - Returns: how long to wait before the next attempt, or `nil` for no repeat.
    public func delay(
        afterAttempt attempt: Int, outcome: Outcome, isIdempotent: Bool, remaining: Duration, secondsSince1970: Double,
        chance: @autoclosure () -> Double
    ) -> Duration? {
        guard attempt < maxAttempts else { return nil }
        var hint: Duration?
        switch outcome {
        case .failure(let error):
            guard error.isUpstreamFault, error.kind != .tls else { return nil }
            guard isIdempotent || !error.requestMayHaveStarted else { return nil }
        case .answer(let status, let headers):
            guard isIdempotent || saysUnstarted(headers), retriedStatuses.contains(status.code) else { return nil }
            hint = RetryAfter.parse(headers, secondsSince1970: secondsSince1970)
            if let hint, hint > maxRetryAfter { return nil }
        }
        let doubled = baseDelay * (1 << min(attempt - 1, 30))
        let backOff = min(doubled, maxDelay) * (1 - jitter * chance())
        let delay = max(backOff, hint ?? .zero)
        return delay < remaining ? delay : nil
    }

    func saysUnstarted(_ headers: HTTPHeaders) -> Bool { unstartedHeader.map { headers[$0] != nil } ?? false }

    func delay(afterAttempt attempt: Int, outcome: Outcome, isIdempotent: Bool, remaining: Duration) -> Duration? {
        delay(
            afterAttempt: attempt, outcome: outcome, isIdempotent: isIdempotent, remaining: remaining,
            secondsSince1970: Date().timeIntervalSince1970, chance: .random(in: 0..<1))
    }
}
