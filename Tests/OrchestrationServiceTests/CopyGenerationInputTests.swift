import DTO
import HTTPCore
import Testing

@testable import OrchestrationService

@Suite struct CopyGenerationInputTests {
    @Test func fillsInWhatIsLeftOut() throws {
        #expect(try read(#"{"topic": "猫砂盆", "platforms": ["douyin"]}"#) == .sample([.douyin]))
    }

    @Test func readsEverything() throws {
        let brief = try read(
            """
            {"topic": "猫砂盆", "platforms": ["zhihu", "douyin", "xiaohongshu", "wechat_channels", "kuaishou", "bilibili", "weibo",
             "wechat_official"], "audience": "新手", "sellingPoints": ["除臭"], "tone": "轻松", "keywords": ["猫"],
             "bannedWords": ["最"], "callToAction": "点赞", "model": "deepseek-v4-flash"}
            """)
        #expect(
            brief
                == CopyBrief(
                    topic: "猫砂盆",
                    platforms: [.zhihu, .douyin, .xiaohongshu, .wechatChannels, .kuaishou, .bilibili, .weibo, .wechatOfficial],
                    audience: "新手", sellingPoints: ["除臭"], tone: "轻松", keywords: ["猫"], bannedWords: ["最"],
                    callToAction: "点赞", model: "deepseek-v4-flash"))
    }

    @Test(arguments: [
        ("{}", ["/topic required", "/platforms required"]),
        (#"{"topic": "a", "platforms": []}"#, ["/platforms too_few_items"]),
        (#"{"topic": "a", "platforms": "douyin"}"#, ["/platforms wrong_type"]),
        (#"{"topic": "a", "platforms": [7, "tiktok"]}"#, ["/platforms/0 wrong_type", "/platforms/1 unknown_value"]),
        (#"{"topic": "a", "platforms": ["weibo", "zhihu", "weibo"]}"#, ["/platforms/2 duplicate"]),
        (
            #"{"topic": "a", "platforms": ["a","b","c","d","e","f","g","h","i"]}"#, ["/platforms too_many_items"]
        ),
        (#"{"topic": " ", "platforms": ["weibo"], "callToAction": ""}"#, ["/topic blank", "/callToAction too_short"]),
        (#"{"topic": "a", "platforms": ["weibo"], "count": 3}"#, ["/count unknown_field"]),
        (#"{"topic": "a", "platforms": ["weibo"], "model": 5, "tone": ""}"#, ["/tone too_short", "/model wrong_type"]),
    ])
    func tellsEveryProblemWithItsPlace(body: String, expected: [String]) {
        #expect(issues(body) == expected)
    }

    @Test(arguments: [
        ("sellingPoints", 10), ("keywords", 10), ("bannedWords", 50),
    ])
    func limitsLists(name: String, limit: Int) throws {
        let list = { (count: Int) in (0..<count).map { "\"w\($0)\"" }.joined(separator: ",") }
        _ = try read(#"{"topic": "a", "platforms": ["weibo"], "\#(name)": [\#(list(limit))]}"#)
        #expect(
            issues(#"{"topic": "a", "platforms": ["weibo"], "\#(name)": [\#(list(limit + 1))]}"#) == ["/\(name) too_many_items"])
    }

    private func read(_ body: String) throws -> CopyBrief {
        try CopyGenerationInput.read(JSONValue(parsing: Array(body.utf8)))
    }

    private func issues(_ body: String) -> [String] {
        do {
            _ = try read(body)
            return []
        } catch let failure as ValidationFailure {
            return failure.issues.map { "\($0.pointer) \($0.code)" }
        } catch {
            return ["\(error)"]
        }
    }
}
