import HTTPCore
import HTTPServing
import ServiceDefaults

/// One line of the gateway's table of contents: everything that decides how a public request is treated.
struct PublicRoute: Sendable {
    /// Who may call.
    enum Access: Sendable, Equatable {
        /// Nobody needs to sign in.
        case everyone
        /// A signed-in member whose roles grant the permission.
        case member(Permission)
    }

    /// Who answers.
    enum Target: Sendable, Equatable {
        /// The gateway itself.
        case login
        case jwks
        case stream
        case apiKeys(APIKeyAction)
        /// A service, at its own path; `{name}` parameters carry over.
        case upstream(ServiceName, path: String)
    }

    enum APIKeyAction: Sendable { case create, list, show, revoke }

    /// Which budget of requests the call draws from; see ``RateLimits``.
    enum RateClass: String, Sendable, CaseIterable {
        /// Guessing passwords must be slow.
        case signIn
        case read
        case write
        /// Calls that cost model time.
        case generate
        case stream
    }

    /// Whether `Idempotency-Key` is taken (design §4).
    enum Idempotency: Sendable, Equatable {
        /// Not an unsafe POST, or repeating it does no harm.
        case none
        case optional
        /// As `optional`, but a replay leaves out these members of the answer: secrets are shown once and kept nowhere.
        case replayRedacted([String])
        /// As `optional`, but no answer is kept: the repeat goes to the service under the same operation, which finds what it did and
        /// answers anew. For answers that grant something, and not for long.
        case answeredAnew
    }

    /// In which form clients want to be told of failures.
    enum Face: Sendable { case platform, openAI }

    let method: HTTPMethod
    let path: String
    /// The flow's one name (design §2): OpenAPI tag, folder, span.
    let flow: String
    let access: Access
    let target: Target
    let rateClass: RateClass
    var idempotency: Idempotency = .none
    /// Whether the service finds a write that it did already: by the operation id, before it looks at any condition, or because the
    /// write sets a whole value. Elsewhere a write whose answer got lost is not sent again: its repeat would fail on what it did itself.
    var isFoundAgain = false
    /// Another permission that is enough.
    var alternative: Permission?
    var deadline: Duration = .seconds(30)
    var maximumBodyBytes: Int = 64 * 1024
    /// A raw model call: it may answer with an event stream, ends when its client leaves, and is accounted for in the usage ledger
    /// instead of the audit log, since it changes nothing. With an `Idempotency-Key`, where the route takes one, it is as any write:
    /// whole, to its end, and recorded.
    var isModelCall = false
    var face = Face.platform

    /// A write runs to its end although its client left: a repeat finds what it did.
    var options: RouteOptions {
        RouteOptions(
            deadline: deadline, maxBodyBytes: maximumBodyBytes, flow: flow,
            hangUp: isWrite && !isModelCall ? .runsToEnd : .cancels)
    }

    /// Whether a call may be sent again although the first may have had its effect.
    var isRepeatable: Bool { method.isSafe || isFoundAgain }

    /// The key under which the request may be repeated, as it was sent.
    func idempotencyKey(of request: Request) -> String? { idempotency == .none ? nil : request.headers["Idempotency-Key"] }

    /// Unsafe methods leave an audit row.
    var isWrite: Bool { !method.isSafe }
}
