import ConcurrencySupport
import ConfigReading
import Cryptography
import FoundationEssentials
import HTTPCalling
import HTTPCore
import Observability

/// Client of one embedding model at a vendor: `POST {base}/embeddings`, as OpenAI and compatible servers speak it.
struct VendorEmbeddings: EmbeddingModel {
    let provider: String
    let model: String
    /// With its `/v1`, without a slash at its end.
    let baseURL: String
    let key: Secret
    let timeouts: RouteTimeouts
    let http: HTTPClient
    let tracer: Tracer

    /// 512 vectors of 3,072 numbers in decimal digits.
    private static let longestAnswer = 64 << 20
    /// Answers from here on are read outside of the event loop, which has others to serve.
    private static let longAnswer = 128 << 10

    func vectors(for batch: EmbeddingBatch, within budget: Duration) async throws -> EmbeddedBatch {
        try await tracer.withSpan(
            "embeddings \(model)", kind: .client,
            attributes: [
                "gen_ai.operation.name": "embeddings", "gen_ai.provider.name": provider, "gen_ai.request.model": model,
            ]
        ) { span in
            let deadline = Deadline.after(budget)
            let answer: EmbeddedBatch
            do {
                answer = try await call(batch, deadline: deadline)
            } catch let error as HTTPClientError {
                if error.kind == .cancelled { throw CancellationError() }
                throw ChatFailure.broken(error)
            }
            span.set("gen_ai.response.model", answer.model)
            if let tokens = answer.promptTokens { span.set("gen_ai.usage.input_tokens", tokens) }
            return answer
        }
    }

    private func call(_ batch: EmbeddingBatch, deadline: Deadline) async throws -> EmbeddedBatch {
        let response = try await http.send(
            ClientRequest(
                .post, baseURL + "/embeddings",
                headers: [
                    "Authorization": "Bearer \(key.exposed)", "Content-Type": "application/json", "Accept": "application/json",
                ],
                body: .bytes(EmbeddingWire.body(batch, model: model)), deadline: deadline,
                timeouts: .init(connect: timeouts.connect, firstByte: timeouts.firstToken, idle: timeouts.idle),
                maxResponseBytes: Self.longestAnswer))
        guard response.status == .ok else {
            throw ChatFailure.refused(
                status: response.status.code, headers: response.headers, body: response.body,
                secondsSince1970: Date().timeIntervalSince1970)
        }
        let (body, count, model) = (response.body, batch.inputs.count, model)
        guard body.count >= Self.longAnswer else { return try EmbeddingWire.answer(from: body, count: count, askedModel: model) }
        return try await withTaskExecutorPreference(globalConcurrentExecutor) {
            try EmbeddingWire.answer(from: body, count: count, askedModel: model)
        }
    }
}

/// Bodies of `POST …/embeddings`. Pure. Source: OpenAI's specification 2.3.0, CreateEmbeddingRequest and CreateEmbeddingResponse.
enum EmbeddingWire {
    /// Asks for base64: a third of the bytes, and nothing to parse. Servers that do not know it answer with numbers, which are read too.
    static func body(_ batch: EmbeddingBatch, model: String) -> [UInt8] {
        var body = JSONObject()
        body["model"] = .string(model)
        body["input"] = .array(
            batch.inputs.map { input in
                switch input {
                case .text(let text): .string(text)
                case .tokens(let tokens): .array(tokens.map { .number(String($0)) })
                }
            })
        body["encoding_format"] = "base64"
        if let dimensions = batch.dimensions { body["dimensions"] = .number(String(dimensions)) }
        body["user"] = .string(batch.customer)
        return JSONValue.object(body).encode()
    }

    /// Vectors in the order of the inputs, whatever their order in the answer: each says its `index`.
    static func answer(from bytes: [UInt8], count: Int, askedModel: String) throws(ChatFailure) -> EmbeddedBatch {
        let json: JSONValue
        do {
            json = try JSONValue(parsing: bytes)
        } catch {
            throw malformed("the answer is not JSON: \(error.reason.rawValue)")
        }
        if let inBand = json["error"], !inBand.isNull { throw ChatFailure.inBand(inBand) }
        guard let data = json["data"]?.array else { throw malformed("the answer has no data") }
        let tokens = ChatWire.tokens(json["usage"]?["prompt_tokens"] ?? json["usage"]?["total_tokens"])
        let usage = tokens.map {
            ChatUsage(promptTokens: $0, cachedPromptTokens: 0, completionTokens: 0, isEstimated: false)
        }
        guard data.count == count else { throw malformed("\(data.count) vectors for \(count) inputs", usage) }
        var vectors = [Vector?](repeating: nil, count: count)
        for item in data {
            guard let index = item["index"]?.int, vectors.indices.contains(index), vectors[index] == nil else {
                throw malformed("an index is missing, foreign or there twice", usage)
            }
            guard let vector = vector(item["embedding"]) else { throw malformed("embedding \(index) is no vector", usage) }
            vectors[index] = vector
        }
        let whole = vectors.compactMap { $0 }
        guard Set(whole.map(\.dimensions)).count == 1 else { throw malformed("vectors of different lengths", usage) }
        return EmbeddedBatch(vectors: whole, model: json["model"]?.string ?? askedModel, promptTokens: tokens)
    }

    private static func vector(_ json: JSONValue?) -> Vector? {
        switch json {
        case .string(let text)?: return Base64.decode(text).flatMap { Vector(bytes: $0) }
        case .array(let items)?:
            var numbers: [Float] = []
            numbers.reserveCapacity(items.count)
            for item in items {
                guard case .number(let digits) = item, let number = Float(digits) else { return nil }
                numbers.append(number)
            }
            return Vector(numbers)
        default: return nil
        }
    }

    private static func malformed(_ message: String, _ usage: ChatUsage? = nil) -> ChatFailure {
        ChatFailure(.malformed, .retry(after: nil), .count, message: message, usage: usage)
    }
}
