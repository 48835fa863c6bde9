import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import PostgresStore
import ServiceDefaults

/// `POST /v1/ai/generate`: decode, call the flow, answer; whole, or with `Accept: text/event-stream` event by event.
struct GenerateRoutes: Sendable {
    static let permission = "ai:generate"

    let flow: TextGeneration
    /// Answers `task: embed`.
    let embeddings: EmbeddingsRoutes

    func generate(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.permission)
        let input = try TextGenerationInput.read(
            try request.json(), knows: { flow.models.routing.knows($0, for: principal.tenantId) })
        // The tenant comes from the token; a body that claims another one is refused (design law 3).
        if let claimed = input.tenantId, claimed.lowercased() != principal.tenantId.text {
            throw Forbidden(code: "ai.foreign_tenant")
        }
        let caller = Caller(
            tenantId: principal.tenantId, subject: principal.subject,
            operationId: CallContext.current?.operationId ?? .version7(), deadline: request.deadline)
        if input.task == .embed {
            // A vector has no beginning to show: it comes whole, whatever the caller accepts.
            return try .json(.ok, try await embeddings.embed(input, for: caller, requestId: request.requestId))
        }
        guard request.wantsEventStream else {
            // Whoever named the request with a key may repeat it, and the operation is the same then.
            let isKept = request.headers["Idempotency-Key"] != nil
            return try .json(.ok, try await flow.write(input, for: caller, requestId: request.requestId, isKept: isKept))
        }
        return try await .started(headers: .eventStream) { stream in
            do {
                try await flow.stream(input, for: caller, requestId: request.requestId) { try await stream.send(Self.event($0)) }
            } catch let failure as any HTTPFailure where stream.hasBegun {
                try await stream.send(Self.error(failure, of: request))
            } catch  where stream.hasBegun && !(error is CancellationError) && !(error is ClientLeft) {
                // Said to the caller in the stream, so nobody else will log it.
                flow.models.logger.error("a streamed answer failed", ["error": "\(error)"])
                try await stream.send(Self.error(InternalFailure(), of: request))
            }
        }
    }

    // MARK: Events

    private struct Delta: Encodable {
        let text: String
        let input: Int?
    }

    private struct Restart: Encodable {
        let reason: String
        let input: Int?
    }

    /// The answer's members but for its text and usage, which the caller has already.
    private struct Done: Encodable {
        let finishReason = "stop"
        let provider: String
        let modelName: String
        let latencyMs: Int
        let degraded: Bool
        let degradedReason: String?
        let requestId: String
        let operationId: UUID?
        let experiment: AIGenerateExperiment?
        let findings: [ComplianceFinding]?
    }

    private static func event(_ event: TextGeneration.Event) throws -> ServerSentEvent {
        switch event {
        case .delta(let text, let input): try named("delta", Delta(text: text, input: input))
        case .restart(let reason, let input): try named("restart", Restart(reason: reason, input: input))
        case .usage(let usage): try named("usage", usage)
        case .done(let answer):
            try named(
                "done",
                Done(
                    provider: answer.provider, modelName: answer.modelName, latencyMs: answer.latencyMs,
                    degraded: answer.degraded,
                    degradedReason: answer.degradedReason, requestId: answer.requestId, operationId: answer.operationId,
                    experiment: answer.experiment, findings: answer.findings))
        }
    }

    private static func named(_ name: String, _ value: some Encodable) throws -> ServerSentEvent {
        ServerSentEvent(event: name, data: String(decoding: try JSON.encode(value), as: UTF8.self))
    }

    private static func error(_ failure: any HTTPFailure, of request: Request) throws -> ServerSentEvent {
        try named(
            "error",
            ProblemBody(failure.problem, language: request.language, instance: request.path, requestId: request.requestId))
    }
}

extension Request {
    /// Whether the caller prefers events over one answer.
    var wantsEventStream: Bool { headers["Accept"]?.lowercased().contains("text/event-stream") ?? false }
}

extension HTTPHeaders {
    /// Of an answer that comes event by event; nginx and its relatives would buffer it otherwise.
    static let eventStream: HTTPHeaders = [
        "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
    ]
}
