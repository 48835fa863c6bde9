import DTO
import TestSupport
import Testing

@testable import AgentCenter

/// What every text of the templates keeps, whatever the brief.
private func checkText(_ text: String, _ brief: WritingBrief, _ name: some StringProtocol) {
    #expect(!text.isEmpty, "\(name)")
    #expect(brief.compliance.allows(text), "\(name): \(text) \(brief.compliance.blocks(text))")
    for hole in ["“”", "，，", "  ", "，。", "。。", "：。", "\n\n\n"] { #expect(!text.contains(hole), "\(name): a hole in \(text)") }
    if !brief.request.topic.contains("{") { #expect(!text.contains("{") && !text.contains("}"), "\(name): a slot in \(text)") }
}

private func checkRules(_ rules: [TextVerdict], _ name: some StringProtocol) {
    for rule in rules where rule.isBroken || rule.check.rule == "text_length" {
        #expect(rule.check.passed, "\(name): \(rule.check.detail)")
    }
}

@Suite("Texts without a model", .apartFromThePool)
struct WriterTemplatesTests {
    static let odd = [
        "茶", "😀", "???", "Sustainable packaging for small online stores in 2026", "{key}{point}", "最好的第一国家级顶级", "١٢٣",
        String(repeating: "我们想推广一款适合上班族的便携咖啡杯，", count: 26), "https://example.com/a?b=c", "13800138000 防晒",
    ]

    private static func request(_ index: Int, _ topic: String, _ platform: ContentPlatform) -> WritingRequest {
        .sample(
            topic: topic, platform: platform, audience: index % 2 == 0 ? "25–35岁上班族" : nil,
            sellingPoints: index % 3 == 0 ? ["省时省力", "随身携带不占地方"] : [], keywords: index % 4 == 0 ? ["日常"] : [],
            callToAction: index % 5 == 0 ? "来评论区聊聊" : nil)
    }

    @Test(
        "200 topics on every platform: its rules kept, no hole, nothing forbidden, the key word kept",
        arguments: ContentPlatform.allCases)
    func copies(platform: ContentPlatform) async throws {
        var kept = 0
        for (index, topic) in TitleTopics.all.enumerated() {
            await Task.yield()
            let brief = Self.request(index, topic.text, platform).brief
            let copy = try #require(CopyTemplates.copy(for: brief, seed: UInt64(index)), "\(topic.text)")
            checkText(copy.text, brief, topic.text)
            for text in [copy.title, copy.callToAction].compactMap({ $0 }) + copy.hashtags { checkText(text, brief, topic.text) }
            checkRules(CopyWriter(brief: brief, revision: nil).rules(for: copy), topic.text)
            #expect((copy.title != nil) == (brief.request.rules.titleLength != nil))
            #expect(Set(copy.hashtags).count == copy.hashtags.count)
            if (copy.text + (copy.title ?? "")).lowercased().contains(topic.keyWord.lowercased()) { kept += 1 }
        }
        #expect(kept >= 180, "the key word is kept in \(kept) of 200 texts")
    }

    @Test("Odd topics get a text on every platform", arguments: odd)
    func oddTopics(topic: String) throws {
        for platform in ContentPlatform.allCases {
            let brief = WritingRequest.sample(topic: topic, platform: platform).brief
            let copy = try #require(CopyTemplates.copy(for: brief, seed: 1))
            checkText(copy.text, brief, topic.prefix(20))
            checkRules(CopyWriter(brief: brief, revision: nil).rules(for: copy), topic.prefix(20))
        }
    }

    @Test("Tight limits are met with less, never with a cut", arguments: [12, 20, 40, 80])
    func tight(limit: Int) throws {
        for platform in ContentPlatform.allCases {
            var rules = SampleRules.of(platform)
            (rules.minLength, rules.maxLength) = (0, limit)
            for topic in TitleTopics.all.prefix(60) {
                let brief = WritingRequest.sample(topic: topic.text, platform: platform, rules: rules).brief
                let copy = try #require(CopyTemplates.copy(for: brief, seed: 7))
                #expect(copy.text.count <= limit)
                #expect("。！？~".contains(copy.text.last ?? " "), "\(copy.text) does not end")
            }
        }
    }

    @Test("Selling points, audience and the wished call to action are said")
    func details() throws {
        let brief = WritingRequest.sample(
            platform: .xiaohongshu, audience: "通勤女生", sellingPoints: ["轻薄不油腻", "补涂方便"], callToAction: "点击橱窗看看"
        ).brief
        let copy = try #require(CopyTemplates.copy(for: brief, seed: 3))
        #expect(copy.text.contains("轻薄不油腻") && copy.text.contains("补涂方便"))
        #expect(copy.callToAction == "点击橱窗看看")
    }

    @Test("Keywords that the brief wants are said on every platform", arguments: ContentPlatform.allCases)
    func keywords(platform: ContentPlatform) throws {
        for seed in UInt64(0)..<12 {
            let brief = WritingRequest.sample(platform: platform, keywords: ["通勤", "玄武岩"]).brief
            let copy = try #require(CopyTemplates.copy(for: brief, seed: seed))
            #expect(copy.text.contains("通勤") && copy.text.contains("玄武岩"), "\(copy.text)")
            checkText(copy.text, brief, "\(platform)")
            checkRules(CopyWriter(brief: brief, revision: nil).rules(for: copy), "\(platform)")
        }
    }

    @Test("A short script says a selling point, and no script says how long it is")
    func shortScripts() throws {
        for seed in UInt64(0)..<12 {
            let points = ["三秒成膜", "不泛白"]
            let request = WritingRequest.sample(sellingPoints: points)
            let short = VideoScriptOrder(request: request, scriptType: .product, durationSeconds: 15)
            let script = try #require(VideoScriptTemplates.script(for: request.brief, short, seed: seed))
            let said = script.scenes.map(\.line).joined()
            #expect(points.contains(where: said.contains), "\(said)")
            let long = WritingRequest.sample(topic: String(repeating: "我们想推广一款适合上班族的便携咖啡杯，", count: 18))
            let order = VideoScriptOrder(request: long, scriptType: .product, durationSeconds: 900)
            #expect(try #require(VideoScriptTemplates.script(for: long.brief, order, seed: seed)).hook.contains("分钟") == false)
        }
        #expect(BeatBank.hooks.allSatisfy { !$0.contains("分钟") && !$0.contains("秒") })
    }

    @Test("A call to action that the platform punishes is not used")
    func punished() throws {
        let brief = WritingRequest.sample(callToAction: "打 13800138000 下单").brief
        let copy = try #require(CopyTemplates.copy(for: brief, seed: 3))
        #expect(copy.callToAction?.contains("138") == false)
    }

    @Test("Banned words appear nowhere, and when nothing is left there is no text")
    func banned() throws {
        let words = ["的", "了", "这", "防晒霜", "评论区", "收藏"]
        let brief = WritingRequest.sample(platform: .zhihu, bannedWords: words).brief
        let copy = try #require(CopyTemplates.copy(for: brief, seed: 5))
        for word in words { #expect(!(copy.text + (copy.title ?? "") + (copy.callToAction ?? "")).contains(word)) }
        let all = Set((SentenceBank.openings + SentenceBank.shortOpenings).joined()).map(String.init)
        #expect(CopyTemplates.copy(for: WritingRequest.sample(bannedWords: all).brief, seed: 5) == nil)
    }

    @Test("Another seed, another text; the same seed, the same text")
    func seeds() {
        let brief = WritingRequest.sample(platform: .xiaohongshu).brief
        #expect(CopyTemplates.copy(for: brief, seed: 1) == CopyTemplates.copy(for: brief, seed: 1))
        #expect(CopyTemplates.copy(for: brief, seed: 1) != CopyTemplates.copy(for: brief, seed: 2))
    }

    @Test("1 to 9 pictures for 200 topics: each with its words, no two captions alike", arguments: [1, 2, 5, 9])
    func imageTexts(slots: Int) async throws {
        for (index, topic) in TitleTopics.all.enumerated() {
            await Task.yield()
            let platform = ContentPlatform.allCases[index % 8]
            let brief = Self.request(index, topic.text, platform).brief
            let order = ImageTextOrder(request: brief.request, slots: slots, imageStyle: index % 2 == 0 ? "手绘水彩" : nil)
            let writer = ImageTextWriter(brief: brief, order: order)
            let text = try #require(writer.template(seed: UInt64(index)))
            checkText(text.text, brief, topic.text)
            checkRules(writer.rules(for: text), topic.text)
            #expect(text.slots.count == slots)
            #expect(Set(text.slots.map(\.caption)).count == slots)
            for slot in text.slots { for words in [slot.caption, slot.alt, slot.prompt] { checkText(words, brief, topic.text) } }
            if index % 2 == 0 { #expect(text.slots.allSatisfy { $0.prompt.contains("手绘水彩") }) }
        }
    }

    @Test(
        "Scripts of every type, 10 to 900 seconds: exactly as long, lines that can be spoken", arguments: VideoScriptType.allCases
    )
    func scripts(type: VideoScriptType) async throws {
        var kept = 0
        let durations = [10, 11, 13, 15, 20, 30, 45, 59, 60, 61, 90, 120, 180, 300, 600, 899, 900]
        for (index, topic) in TitleTopics.all.enumerated() {
            await Task.yield()
            let seconds = durations[index % durations.count]
            let brief = Self.request(index, topic.text, ContentPlatform.allCases[index % 8]).brief
            let writer = VideoScriptWriter(
                brief: brief, order: VideoScriptOrder(request: brief.request, scriptType: type, durationSeconds: seconds))
            let script = try #require(writer.template(seed: UInt64(index)), "\(topic.text) \(seconds)")
            checkRules(writer.rules(for: script), topic.text)
            #expect(script.totalSeconds == seconds)
            #expect(script.scenes.map(\.index) == Array(1...script.scenes.count))
            var start = 0
            for scene in script.scenes {
                #expect(scene.startSecond == start && scene.durationSeconds >= 1)
                start += scene.durationSeconds
                #expect(scene.line.count <= scene.durationSeconds * 5, "\(scene.line) in \(scene.durationSeconds) s")
                #expect(!scene.shot.isEmpty && !scene.camera.isEmpty && !scene.bgm.isEmpty)
                for words in [scene.visual, scene.line, scene.subtitle] where !words.isEmpty {
                    checkText(words, brief, topic.text)
                }
            }
            #expect(start == seconds)
            checkText(script.hook, brief, topic.text)
            checkText(script.cta, brief, topic.text)
            let said = script.hook + script.scenes.map { $0.line + $0.visual }.joined()
            if said.lowercased().contains(topic.keyWord.lowercased()) { kept += 1 }
            let spoken = script.scenes.reduce(0) { $0 + SceneTiming.spoken($1.line) }
            #expect(spoken >= seconds * 2, "\(spoken) characters in \(seconds) s")
        }
        #expect(kept >= 180, "the key word is kept in \(kept) of 200 scripts")
    }

    @Test("A title over a template's text promises no number, no list and no experience", arguments: ContentPlatform.allCases)
    func keptPromises(platform: ContentPlatform) throws {
        var rules = SampleRules.of(platform)
        rules.titleLength = 30
        for topic in ["跑步", "夏季通勤防晒", "租房", "防晒霜"] {
            let brief = WritingRequest.sample(topic: topic, platform: platform, rules: rules, sellingPoints: ["￥99"]).brief
            for seed in 0..<40 as Range<UInt64> {
                let title = try #require(CopyTemplates.copy(for: brief, seed: seed)?.title)
                for sign in ["3", "5", "7", "几", "清单", "误区", "我", "这一年"] { #expect(!title.contains(sign), "\(title)") }
            }
        }
    }

    @Test("The banks tell of nobody's experience, and name a selling point behind a colon")
    func honest() {
        let beats = [Beat.Name.reveal, .experience, .test, .pros].flatMap { BeatBank.beats[$0]?.lines ?? [] }
        let all =
            SentenceBank.openings + SentenceBank.shortOpenings + SentenceBank.problems + SentenceBank.tips + SentenceBank.remarks
            + SentenceBank.summaries + SentenceBank.headings + TemplateTags.common + beats
        for text in all {
            for sign in ["我", "个人经验", "身边的朋友", "坚持了", "用了一阵", "后来", "家里人也说", "真实感受", "真实体验", "试下来"] {
                #expect(!text.contains(sign), "\(text)")
            }
        }
        for text in SentenceBank.points { #expect(text.hasSuffix("：{point}。"), "\(text)") }
    }

    @Test("A question in English is said whole or by its thing, never as a bare verb")
    func englishQuestion() throws {
        #expect(KeyWord(of: "How to use sunscreen").sayings == ["How to use sunscreen", "sunscreen"])
        #expect(KeyWord(of: "How to choose a running shoe").sayings.first == "running shoe")
        for platform in ContentPlatform.allCases {
            for seed in 0..<8 as Range<UInt64> {
                let brief = WritingRequest.sample(topic: "How to use sunscreen", platform: platform).brief
                let copy = try #require(CopyTemplates.copy(for: brief, seed: seed))
                for text in [copy.text, copy.title ?? ""] + copy.hashtags {
                    #expect(!text.replacing("How to use sunscreen", with: "").contains("use sun"), "\(text)")
                }
            }
        }
    }

    @Test("The banks hold nothing forbidden, and every type has its beats")
    func banks() {
        let beats = BeatBank.beats.values + [BeatBank.hook, BeatBank.end]
        let all =
            SentenceBank.openings + SentenceBank.shortOpenings + SentenceBank.problems + SentenceBank.points + SentenceBank.tips
            + SentenceBank.remarks + SentenceBank.summaries + SentenceBank.headings + SentenceBank.plainCallsToAction
            + SentenceBank.callsToAction.values.joined() + SentenceBank.greetings.values.joined() + TemplateTags.common
            + TemplateTags.platforms.values.joined() + BeatBank.cameras + BeatBank.music.values.joined()
            + beats.flatMap { $0.lines + $0.visuals + $0.shots + $0.props }
        for platform in ContentPlatform.allCases {
            let compliance = Compliance(platform: platform)
            for text in all { #expect(compliance.check(text).isEmpty, "\(text): \(compliance.check(text))") }
        }
        for type in VideoScriptType.allCases {
            #expect(BeatBank.plans[type]?.allSatisfy { BeatBank.beats[$0] != nil } == true)
            #expect(BeatBank.music[type]?.isEmpty == false)
        }
    }
}
