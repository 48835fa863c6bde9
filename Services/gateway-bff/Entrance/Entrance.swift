import ConcurrencySupport
import Cryptography
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import PostgresStore

/// What every public request passes, in this order: how much (address), who are you, how much (tenant), what may you, have we done this
/// already, and only then the answer itself. The table ``PublicRoutes`` says which of these a route has.
struct Entrance: Sendable {
    /// The part that answers once a member is known to be allowed.
    typealias MemberHandler = @Sendable (Request, Member) async throws -> Response

    let limits: RateLimits
    let addressRule: ClientAddressRule
    let tokens: AccessTokens
    let keys: APIKeyDirectory
    let ledger: WriteLedger
    let logger: Logger

    /// A route for everyone. The handler gets the client's address.
    func open(_ route: PublicRoute, _ answer: @escaping @Sendable (Request, _ address: String) async throws -> Response)
        -> Handler
    {
        { request in
            let address = clientAddress(of: request)
            let standing = limits.takeForAddress(address, class: route.rateClass)
            do {
                try Self.admit(standing)
                var response = try await answer(request, address)
                Self.add(standing, to: &response.headers)
                return response
            } catch {
                throw Self.withStanding(standing, error)
            }
        }
    }

    /// A route for members with a permission.
    func members(_ route: PublicRoute, needing permission: Permission, _ answer: @escaping MemberHandler) -> Handler {
        let handler: Handler = { request in
            let address = clientAddress(of: request)
            var standing = limits.takeForAddress(address, class: route.rateClass)
            do {
                try Self.admit(standing)
                let member = try await authenticate(request)
                request.note(member)
                standing = limits.takeForTenant(member.tenantId.text, class: route.rateClass) ?? standing
                try Self.admit(standing)
                guard member.permissions.contains(permission) || route.alternative.map(member.permissions.contains) ?? false
                else { throw PermissionMissing(permission: permission) }
                var response = try await Self.inContext(of: member, operationId: route.isModelCall ? UUID.version7() : nil) {
                    if route.isModelCall {
                        try await called(route, request, member, address: address, answer)
                    } else if route.isWrite {
                        try await accountably(route, request, member, address: address, answer)
                    } else {
                        try await answer(request, member)
                    }
                }
                Self.add(standing, to: &response.headers)
                return response
            } catch {
                throw Self.withStanding(standing, error)
            }
        }
        return route.face == .openAI ? OpenAIEnvelope.around(handler) : handler
    }

    // MARK: - Steps

    func clientAddress(of request: Request) -> String { addressRule.address(of: request) }

    private func authenticate(_ request: Request) async throws -> Member {
        guard let header = request.headers["Authorization"] else { throw Unauthorized(code: "auth.token_missing") }
        // As bytes: a token is long, and the characters of a text are found with effort.
        let parts = header.utf8.split(separator: UInt8(ascii: " "), maxSplits: 1, omittingEmptySubsequences: true)
        guard parts.count == 2, let scheme = String(parts[0]), scheme.lowercased() == "bearer", let token = String(parts[1])
        else { throw Unauthorized(code: "auth.token_invalid") }
        let isKey = token.hasPrefix(APIKeys.marker)
        let known = isKey ? try await keys.member(for: token) : tokens.verify(token)
        guard let member = known else {
            // A program cannot sign in; which of these it is, is nobody's business.
            throw isKey
                ? Unauthorized(
                    code: "auth.token_invalid",
                    title: LocalizedText(
                        zh: "API 密钥无效、已过期或已撤销", en: "The API key is invalid, has expired or was revoked"))
                : Unauthorized(code: "auth.token_invalid")
        }
        return member
    }

    /// Whether the token or key that a request came with would still let it in; for answers that go on for long.
    func isStillGood(_ request: Request) async -> Bool {
        do {
            _ = try await authenticate(request)
            return true
        } catch is Unauthorized {
            return false
        } catch {
            // Nobody can say at the moment: the token's own end comes anyway.
            return true
        }
    }

    static func admit(_ standing: RateLimits.Standing?) throws {
        if case .refused(let retryAfter)? = standing?.decision { throw TooManyRequests(retryAfter: retryAfter) }
    }

    static func add(_ standing: RateLimits.Standing?, to headers: inout HTTPHeaders) {
        for (name, value) in standing?.headers ?? [] { headers[name] = value }
    }

    /// The limit's standing belongs on refusals too.
    static func withStanding(_ standing: RateLimits.Standing?, _ error: any Error) -> any Error {
        guard let failure = error as? any HTTPFailure else { return error }
        var problem = failure.problem
        add(standing, to: &problem.headers)
        return DescribedFailure(problem: problem)
    }

    /// The operation id is ours alone: what a client sends under that name is not taken over.
    private static func inContext<Value: Sendable>(
        of member: Member, operationId: UUID?, _ work: () async throws -> Value
    ) async throws -> Value {
        var context = CallContext.current ?? CallContext(requestId: UUID.version7().text)
        context.tenantId = member.tenantId
        context.operationId = operationId
        return try await CallContext.$current.withValue(context, operation: work)
    }

    // MARK: - Writes

    /// A model call. Whoever names it with a key may come again for its answer: then it does not end with its client (its deadline
    /// ends it), so that the repeat finds what was paid for.
    private func called(
        _ route: PublicRoute, _ request: Request, _ member: Member, address: String, _ answer: @escaping MemberHandler
    ) async throws -> Response {
        guard route.idempotencyKey(of: request) != nil else { return try await answer(request, member) }
        guard request.headers["Accept"]?.lowercased().contains("text/event-stream") != true else {
            throw Idempotency.Failure.streamed
        }
        return try await Task { try await accountably(route, request, member, address: address, answer) }.value
    }

    /// Audit row and, with a key, idempotency claim before the answer; their completion after it.
    private func accountably(
        _ route: PublicRoute, _ request: Request, _ member: Member, address: String, _ answer: MemberHandler
    ) async throws -> Response {
        let audit = AuditEntry(
            id: UUID.version7(), tenantId: member.tenantId, actor: member.subject,
            action: "\(route.method) \(route.path)", flow: route.flow, requestId: request.requestId, operationId: UUID.version7(),
            clientAddress: address)
        guard let text = route.idempotencyKey(of: request) else {
            try await ledger.begin(audit)
            return try await recording(
                { try await ledger.finish(audit, $0) }, request, member: member, operationId: audit.operationId, answer)
        }
        guard Idempotency.isWellFormed(key: text) else { throw Idempotency.Failure.malformedKey }
        let key = WriteLedger.Key(tenantId: member.tenantId, principal: audit.actor, route: audit.action, key: text)
        let fingerprint = Self.fingerprint(of: request)
        switch try await ledger.claim(key, fingerprint: fingerprint, audit: audit, lease: route.deadline + .seconds(5)) {
        case .inFlight: throw Idempotency.Failure.inFlight
        case .otherBody: throw Idempotency.Failure.otherBody
        case .replay(let stored):
            var headers: HTTPHeaders = ["Idempotent-Replayed": "true"]
            for (name, value) in stored.headers { headers[name] = value }
            return Response(HTTPStatus(stored.status), headers: headers, body: .bytes(stored.body))
        case .granted(let operationId, let claimId):
            return try await recording(
                { try await ledger.finish(key, claimId: claimId, audit: audit, $0.kept(by: route.idempotency)) }, request,
                member: member, operationId: operationId, answer)
        }
    }

    /// Runs the answer under the operation id and hands what came of it to `record`, also when it failed.
    ///
    /// What has been done stays done if the record cannot be written. The answer does not wait for a database that is away: the record
    /// follows as soon as it is back, and a repeat finds it. Dies this process before that, the claim's lease ends, and a repeat finds
    /// what the services did under the operation.
    private func recording(
        _ record: @escaping @Sendable (WriteLedger.Outcome) async throws -> Void, _ request: Request, member: Member,
        operationId: UUID, _ answer: MemberHandler
    ) async throws -> Response {
        let result: Result<Response, any Error>
        let outcome: WriteLedger.Outcome
        do {
            let response = try await Self.inContext(of: member, operationId: operationId) { try await answer(request, member) }
            (result, outcome) = (.success(response), WriteLedger.Outcome(response))
        } catch {
            (result, outcome) = (.failure(error), WriteLedger.Outcome(failed: HTTPStatus(answering: error, to: request)))
        }
        // After a 504 of our own the deadline is past and this task is cancelled: the record has a task and a time to itself.
        await Task.immediate {
            var context = CallContext.current
            context?.deadline = .now + Self.recordTime
            do {
                try await CallContext.$current.withValue(context) { try await record(outcome) }
            } catch {
                logger.error("the outcome of a write could not be recorded yet", ["error": "\(error)", "status": outcome.status])
                Task { await recordLater { try await record(outcome) } }
            }
        }.value
        return try result.get()
    }

    /// Records repeat without harm: they change only the claim that they belong to.
    private func recordLater(_ record: @Sendable () async throws -> Void) async {
        let end = Deadline.after(Self.lateRecordTime)
        var pause = Duration.milliseconds(100)
        while !end.isPast {
            guard (try? await Deadline.after(pause).sleep()) != nil else { return }
            var context = CallContext.current
            context?.deadline = .now + Self.recordTime
            do {
                try await CallContext.$current.withValue(context) { try await record() }
                return logger.info("the outcome of a write was recorded late")
            } catch {
                pause = min(pause * 2, .seconds(1))
            }
        }
        logger.error("the outcome of a write was never recorded")
    }

    private static let recordTime = Duration.seconds(5)
    /// After that every claim's lease has ended anyway.
    private static let lateRecordTime = Duration.seconds(60)
}

extension Entrance {
    /// Method, target and body: what must be the same for a repeated key.
    static func fingerprint(of request: Request) -> [UInt8] {
        let target = request.rawQuery.map { "\(request.path)?\($0)" } ?? request.path
        return SHA256.hash(Array("\(request.method) \(target)\n".utf8) + request.body)
    }
}
