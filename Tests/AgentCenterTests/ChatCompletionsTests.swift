import ConcurrencySupport
import ConfigReading
import HTTPCalling
import HTTPCore
import Observability
import Testing

@testable import AgentCenter

@Suite("A vendor's model as it is called")
struct ChatCompletionsTests {
    private static let usage = ChatUsage(promptTokens: 100, cachedPromptTokens: 60, completionTokens: 40, isEstimated: false)

    @Test("Where the vendor does not count, pictures and a schema that is sent beside the messages count here")
    func estimates() throws {
        var request = ChatRequest(messages: [.init(role: .user, content: "12345678")], maxTokens: 1)
        #expect(request.estimatedPromptTokens(by: "gpt-4o") == 2)
        request.answerSchema = AnswerSchema(name: "x", schema: ["type": "object"])
        #expect(request.estimatedPromptTokens(by: "gpt-4o") == 2 + #"{"type":"object"}"#.utf8.count / 4)
        request.form = .told
        request.pictures = 20
        #expect(request.estimatedPromptTokens(by: "gpt-4o") == 2 + 20 * 1_105)
        let most = request.mostPromptTokens
        #expect((20 * 30_000...most).contains(request.usageOfPrompt(by: "gpt-4o-mini-2024-07-18").promptTokens))
    }

    @Test("A first token that is there too late reaches nobody, and is paid", arguments: [true, false])
    func late(isStreamed: Bool) async throws {
        let vendor = try ScriptedVendor([isStreamed ? .bytes(ModelFault.stream()) : .says(ModelFault.text)])
        let http = HTTPClient()
        let model = ChatCompletions(
            endpoint: .init(
                profile: ChatProfile(vendor: .openai, model: "gpt-4o-mini"), model: "gpt-4o-mini", baseURL: vendor.url,
                key: Secret("none"), timeouts: .standard, streams: true), http: http, tracer: Tracer(service: "test"))
        let question = ChatRequest(messages: [.init(role: .user, content: "防晒霜多久补一次？")], maxTokens: 100)
        let told = Lock(0)
        let asked = Lock(0)
        let abandoned = await #expect(throws: ChatAbandoned.self) {
            try await model.read(question, .after(.seconds(30)), { _ in told.withLock { $0 += 1 } }) {
                asked.withLock { $0 += 1 }
                return false
            }
        }
        #expect(told.withLock { $0 } == 0 && asked.withLock { $0 } == 1)
        // The vendor had no time to count a stream: half of the text, 21 bytes, and the question count here.
        let estimate = ChatUsage(
            promptTokens: question.estimatedPromptTokens(by: "gpt-4o-mini"), cachedPromptTokens: 0, completionTokens: 6,
            isEstimated: true)
        #expect(abandoned?.usage == (isStreamed ? estimate : Self.usage))
        await http.shutdown()
    }
}
