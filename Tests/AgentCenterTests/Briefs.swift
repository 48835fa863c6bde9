import ConcurrencySupport
import DTO
import FoundationEssentials
import HTTPCore
import TestSupport

@testable import AgentCenter

extension TitleWritingRequest {
    static func sample(
        topic: String = "夏季防晒霜推荐", platform: ContentPlatform = .douyin, audience: String? = nil, sellingPoints: [String] = [],
        tone: String? = nil, keywords: [String] = [], bannedWords: [String] = [], brandWords: [String] = [], count: Int = 5,
        maxLength: Int = 30, model: String = "auto"
    ) -> TitleWritingRequest {
        TitleWritingRequest(
            topic: topic, platform: platform, audience: audience, sellingPoints: sellingPoints, tone: tone, keywords: keywords,
            bannedWords: bannedWords, brandWords: brandWords, count: count, maxLength: maxLength, model: model)
    }
}

extension TitleBrief {
    static func sample(
        topic: String = "夏季防晒霜推荐", platform: ContentPlatform = .douyin, audience: String? = nil, sellingPoints: [String] = [],
        keywords: [String] = [], bannedWords: [String] = [], brandWords: [String] = [], count: Int = 5, maxLength: Int = 30
    ) -> TitleBrief {
        TitleBrief(
            .sample(
                topic: topic, platform: platform, audience: audience, sellingPoints: sellingPoints, keywords: keywords,
                bannedWords: bannedWords, brandWords: brandWords, count: count, maxLength: maxLength))
    }
}

extension TitleScore {
    init(of title: String, for brief: TitleBrief, beside others: [TitleOutline] = []) {
        self.init(of: TitleOutline(of: title), for: brief, beside: others)
    }
}

extension ModelCall {
    static func sample(
        tenant: UUID = TestContext.tenant, subject: String = "user-1", operation: UUID = UUID(), step: String = "s",
        scene: String = "douyin-title-zh", apiKeyId: UUID? = nil, deadline: Deadline = .after(.seconds(60))
    ) -> ModelCall {
        ModelCall(
            tenantId: tenant, subject: subject, operationId: operation, step: step, flow: "TitleGeneration", task: .title,
            scene: scene, apiKeyId: apiKeyId, deadline: deadline)
    }
}

extension TitleTask {
    /// With the shipped version of the prompt.
    static func sample(_ brief: TitleBrief) -> TitleTask {
        guard let version = ShippedPrompts.all[TitlePrompt.name],
            let task = try? TitleTask(brief: brief, version: version, customer: nil)
        else { preconditionFailure("the shipped prompt takes every brief") }
        return task
    }
}

/// Reads what a prompt sends.
enum PromptMessage {
    struct NoData: Error { let content: String }

    /// The one object between the delimiters; nothing else may stand in the message.
    static func data(_ message: ChatRequest.Message) throws -> JSONValue {
        let content = message.content
        guard content.hasPrefix("<data>\n"), content.hasSuffix("\n</data>") else { throw NoData(content: content) }
        let inner = content.dropFirst("<data>\n".count).dropLast("\n</data>".count)
        guard !inner.contains("<"), !inner.contains(">") else { throw NoData(content: content) }
        return try JSONValue(parsing: Array(inner.utf8))
    }
}
