import DTO
import FoundationEssentials
import HTTPCore
import HTTPServing
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import AgentCenter

/// What the eight platforms ask of a text.
enum SampleRules {
    static func of(_ platform: ContentPlatform) -> CopyRules {
        switch platform {
        case .douyin: rules(nil, 20...300, 2...5, .few, "口语，前几个字就抓住人")
        case .xiaohongshu: rules(20, 100...900, 3...8, .many, "像朋友分享经验")
        case .wechatChannels: rules(nil, 30...500, 1...4, .few, "稳重可信")
        case .kuaishou: rules(nil, 20...300, 1...4, .few, "直白接地气")
        case .bilibili: rules(80, 30...250, 3...10, .few, "信息量足")
        case .weibo: rules(nil, 10...140, 1...3, .few, "一句话说清看点", links: true)
        case .wechatOfficial: rules(64, 400...3_000, 0...3, .none, "有信息增量", links: true)
        case .zhihu: rules(50, 300...2_000, 0...5, .none, "克制、具体", links: true)
        }
    }

    private static func rules(
        _ title: Int?, _ length: ClosedRange<Int>, _ tags: ClosedRange<Int>, _ emoji: CopyRules.Emoji, _ voice: String,
        links: Bool = false
    ) -> CopyRules {
        CopyRules(
            titleLength: title, minLength: length.lowerBound, maxLength: length.upperBound, minHashtags: tags.lowerBound,
            maxHashtags: tags.upperBound, emoji: emoji, allowsLinks: links, voice: voice)
    }
}

extension WritingRequest {
    static func sample(
        topic: String = "夏季防晒霜推荐", platform: ContentPlatform = .douyin, rules: CopyRules? = nil, audience: String? = nil,
        sellingPoints: [String] = [], keywords: [String] = [], bannedWords: [String] = [], brandWords: [String] = [],
        callToAction: String? = nil
    ) -> WritingRequest {
        WritingRequest(
            topic: topic, platform: platform, rules: rules ?? SampleRules.of(platform), audience: audience,
            sellingPoints: sellingPoints, tone: nil, keywords: keywords, bannedWords: bannedWords, brandWords: brandWords,
            callToAction: callToAction, model: "auto")
    }

    var brief: WritingBrief { WritingBrief(self, words: WordFinder(words: bannedWords)) }
}

extension CopyWritingRequest {
    static func sample(
        platform: ContentPlatform = .douyin, rules: CopyRules? = nil, bannedWords: [String] = [], brandWords: [String] = [],
        revision: CopyRevision? = nil
    ) -> CopyWritingRequest {
        CopyWritingRequest(
            topic: "夏季防晒霜推荐", platform: platform, rules: rules ?? SampleRules.of(platform), audience: nil, sellingPoints: [],
            tone: nil, keywords: [], bannedWords: bannedWords, brandWords: brandWords, callToAction: nil, model: "auto",
            revision: revision)
    }
}

extension ImageTextWritingRequest {
    static func sample(slots: Int = 3, bannedWords: [String] = []) -> ImageTextWritingRequest {
        ImageTextWritingRequest(
            topic: "夏季防晒霜推荐", platform: .xiaohongshu, rules: SampleRules.of(.xiaohongshu), slots: slots, imageStyle: "手绘水彩",
            audience: nil, sellingPoints: [], tone: nil, keywords: [], bannedWords: bannedWords, brandWords: [],
            callToAction: nil,
            model: "auto")
    }
}

extension VideoScriptWritingRequest {
    static func sample(
        type: VideoScriptType = .product, seconds: Int = 30, bannedWords: [String] = [], revision: VideoScriptRevision? = nil
    ) -> VideoScriptWritingRequest {
        VideoScriptWritingRequest(
            topic: "夏季防晒霜推荐", scriptType: type, durationSeconds: seconds, platform: .douyin, rules: SampleRules.of(.douyin),
            audience: nil, sellingPoints: [], tone: nil, keywords: [], bannedWords: bannedWords, brandWords: [],
            callToAction: nil, model: "auto", revision: revision)
    }
}

extension TitleService {
    func post(
        _ path: String, _ body: some Encodable, tenant: UUID = TestContext.tenant, operation: UUID? = nil,
        deadlineMs: Int = 30_000
    ) async throws -> TestResponse {
        var headers = try TestContext.headers(
            from: .orchestrationService, to: .agentCenter, as: TestContext.principal(tenant: tenant), operation: operation)
        headers["Content-Type"] = "application/json"
        headers["X-Deadline-Ms"] = String(deadlineMs)
        return try await app.client.send(.post, path, headers: headers, body: try JSON.encode(body))
    }

    func copy(
        _ request: CopyWritingRequest = .sample(), tenant: UUID = TestContext.tenant, operation: UUID? = nil
    ) async throws -> CopyWritingAnswer {
        try await answered("/v1/copies", request, tenant, operation)
    }

    func imageText(_ request: ImageTextWritingRequest = .sample(), operation: UUID? = nil) async throws -> ImageTextWritingAnswer
    {
        try await answered("/v1/image-texts", request, TestContext.tenant, operation)
    }

    func script(
        _ request: VideoScriptWritingRequest = .sample(), operation: UUID? = nil
    ) async throws -> VideoScriptWritingAnswer {
        try await answered("/v1/video-scripts", request, TestContext.tenant, operation)
    }

    /// Sends the sample with other members and expects a refusal that points at exactly these.
    func refuses(_ path: String, _ sample: some Encodable, with change: String, at pointers: [String]) async throws {
        var body = try #require(try JSONValue(encoding: sample).object)
        for (name, value) in try #require(try JSONValue(parsing: Array(change.utf8)).object) { body[name] = value }
        let response = try await post(path, JSONValue.object(body))
        #expect(response.status == .unprocessableContent)
        #expect(try response.problem().errors?.map(\.pointer) == pointers)
        #expect(try await ledger().isEmpty)
    }

    private func answered<Answer: Decodable>(
        _ path: String, _ request: some Encodable, _ tenant: UUID, _ operation: UUID?
    ) async throws -> Answer {
        let response = try await post(path, request, tenant: tenant, operation: operation)
        #expect(response.status == .ok, "\(response.text)")
        return try response.decode(Answer.self)
    }

    /// The `checks` of the one ledger row.
    func ledgerChecks() async throws -> [JSONValue] {
        let rows = try await database.superuser.query("SELECT checks::text AS checks FROM ai_usage_ledger ORDER BY created_at")
        let text: String? = try rows.first?.decode("checks")
        return try JSONValue(parsing: Array((text ?? "null").utf8)).array ?? []
    }

    func ledgerSteps() async throws -> [String] {
        try await database.superuser.query("SELECT step FROM ai_usage_ledger ORDER BY created_at").map { try $0.decode("step") }
    }
}

extension ScriptedVendor {
    /// The data object of the last message of a received request.
    static func data(_ request: Received) throws -> JSONValue {
        let message = try #require(try JSONValue(parsing: Array(request.body.utf8))["messages"]?.array?.last?["content"]?.string)
        return try PromptMessage.data(ChatRequest.Message(role: .user, content: message))
    }
}

/// Texts as a model would give them.
enum ModelTexts {
    static let body = "夏季防晒霜怎么选？出门前十五分钟涂好，补涂别忘记。油皮选清爽的质地，通勤路上也舒服。"

    static func copy(_ text: String = body, hashtags: [String] = ["防晒", "通勤"], title: String? = nil) -> String {
        let object: JSONValue = [
            "title": title.map { .string($0) } ?? .null, "text": .string(text),
            "hashtags": .array(hashtags.map { .string($0) }), "callToAction": "评论区聊聊你的防晒习惯",
        ]
        return String(decoding: object.encode(), as: UTF8.self)
    }

    static func passages(_ texts: String...) -> String {
        let items = texts.enumerated().map { index, text -> JSONValue in ["id": .string("p\(index + 1)"), "text": .string(text)] }
        let object: JSONValue = ["passages": .array(items)]
        return String(decoding: object.encode(), as: UTF8.self)
    }

    static func script(_ durations: [Int], line: (Int) -> String = { String(repeating: "晒", count: $0 * 4) }, total: Int = 0)
        -> String
    {
        let scenes = durations.enumerated().map { index, seconds -> JSONValue in
            [
                "index": .number(String(index + 7)), "startSecond": 99, "durationSeconds": .number(String(seconds)), "shot": "近景",
                "camera": "固定", "visual": "涂抹防晒霜", "line": .string(line(seconds)), "subtitle": "", "bgm": "轻快", "props": ["防晒霜"],
            ]
        }
        let object: JSONValue = [
            "hook": "防晒霜你选对了吗？", "scenes": .array(scenes), "cta": "评论区聊聊", "hashtags": ["防晒", "通勤"],
            "totalSeconds": .number(String(total)),
        ]
        return String(decoding: object.encode(), as: UTF8.self)
    }

    static func imageText(slots: Int = 3, text: String? = nil) -> String {
        let items = (1...slots).map { index -> JSONValue in
            ["caption": .string("图注\(index)"), "alt": .string("替代文字\(index)"), "prompt": .string("画面描述，主体居中 \(index)")]
        }
        let long = text ?? String(repeating: body, count: 3) + "✨"
        let object: JSONValue = [
            "title": "防晒霜怎么选", "text": .string(long), "hashtags": ["防晒", "通勤", "夏天"], "callToAction": .null,
            "slots": .array(items),
        ]
        return String(decoding: object.encode(), as: UTF8.self)
    }
}
