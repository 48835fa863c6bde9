import ConcurrencySupport
import Cryptography
import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import Observability
import PostgresStore
import ServiceDefaults

/// `POST /v1/embeddings` in OpenAI's shape.
struct EmbeddingsRoutes: Sendable {
    static let permission = "ai:generate"
    static let scene = "openai-embeddings"
    /// A longer answer is written piece by piece, so that it is never in memory as a whole and the event loop serves others between two.
    private static let longAnswer = 256 << 10

    let embeddings: Embeddings

    func create(_ request: Request) async throws -> Response {
        let principal = try request.principal(with: Self.permission)
        let (question, form) = try EmbeddingsInput.read(try request.json())
        let call = ModelCall(
            tenantId: principal.tenantId, subject: principal.subject,
            operationId: CallContext.current?.operationId ?? .version7(), step: Embeddings.step, flow: Embeddings.flow,
            task: .embed, scene: Self.scene, model: question.model, deadline: request.deadline)
        let answer = try await embeddings.embed(question, for: call)
        let writer = EmbeddingListWriter(answer: answer, form: form)
        guard answer.vectors.reduce(0, { $0 + $1.bytes.count }) > Self.longAnswer else {
            return .json(bytes: writer.whole())
        }
        return Response(
            headers: ["Content-Type": "application/json"],
            body: .stream { body in
                for piece in writer.pieces { try await body.write(piece()) }
            })
    }
}

extension EmbeddingsRoutes {
    /// `task: embed` of the unified call (seed 001 §5.1): the vectors stand in `embeddings`, one for each input; nothing was written, so
    /// `output` is empty.
    func embed(_ input: TextGenerationInput, for caller: Caller, requestId: String) async throws -> AIGenerateAnswer {
        let started = ContinuousClock.now
        let call = ModelCall(
            tenantId: caller.tenantId, subject: caller.subject, operationId: caller.operationId, step: Embeddings.step,
            flow: Embeddings.flow, task: .embed, scene: input.scene, language: input.language, model: input.model,
            deadline: caller.deadline)
        let answer = try await embeddings.embed(
            EmbeddingQuestion(model: input.model, inputs: input.inputs.map { .text($0) }), for: call)
        return AIGenerateAnswer(
            output: input.isList ? .many([]) : .one(""), provider: answer.provider, modelName: answer.modelName,
            usage: AIUsage(
                promptTokens: answer.promptTokens, completionTokens: 0, costNano: answer.costNano, currency: answer.currency),
            latencyMs: Int(started.duration(to: .now).milliseconds), degraded: false, requestId: requestId,
            operationId: caller.operationId,
            // By way of the shortest digits: 0.1 stays 0.1.
            embeddings: answer.vectors.map { $0.numbers.map { Double($0.description) ?? 0 } })
    }
}

/// The answer as bytes: a vector has thousands of numbers, and a general encoder takes its time over each.
struct EmbeddingListWriter: Sendable {
    let answer: EmbeddingAnswer
    let form: EmbeddingsInput.Form

    func whole() -> [UInt8] { pieces.flatMap { $0() } }

    /// One for each vector, and the frame around them.
    var pieces: [@Sendable () -> [UInt8]] {
        let opening: @Sendable () -> [UInt8] = { Array(#"{"object":"list","data":["#.utf8) }
        let items = answer.vectors.indices.map { index -> @Sendable () -> [UInt8] in { item(index) } }
        return [opening] + items + [{ closing }]
    }

    private func item(_ index: Int) -> [UInt8] {
        var bytes: [UInt8] = index == 0 ? [] : [UInt8(ascii: ",")]
        bytes += Array(#"{"object":"embedding","index":\#(index),"embedding":"#.utf8)
        switch form {
        case .base64:
            bytes.append(UInt8(ascii: "\""))
            bytes += Array(Base64.encode(answer.vectors[index].bytes).utf8)
            bytes.append(UInt8(ascii: "\""))
        case .float:
            bytes.append(UInt8(ascii: "["))
            for (place, number) in answer.vectors[index].numbers.enumerated() {
                if place > 0 { bytes.append(UInt8(ascii: ",")) }
                // The shortest digits that give the same float32 again.
                bytes += number.description.utf8
            }
            bytes.append(UInt8(ascii: "]"))
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    private var closing: [UInt8] {
        let rest: JSONValue = [
            "model": .string(answer.modelName),
            "usage": [
                "prompt_tokens": .number(String(answer.promptTokens)), "total_tokens": .number(String(answer.promptTokens)),
                "cached_inputs": .number(String(answer.cachedInputs)),
            ],
        ]
        return Array("],".utf8) + rest.encode().dropFirst()
    }
}
