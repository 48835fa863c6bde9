import DTO
import FoundationEssentials
import Observability

/// A content to read and to print.
enum MarkdownExport {
    static func document(_ content: Content) -> String {
        let parts =
            switch content.body {
            case .titleSet(let body): titleSet(body)
            case .copy(let body): copy(body, of: content)
            case .imageText(let body): imageText(body, of: content)
            case .videoScript(let body): videoScript(body)
            case .video(let body): video(body, of: content)
            case .replyTemplate(let body): replyTemplate(body)
            }
        return (["# \(MarkdownText.inline(content.title))"] + parts).filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
    }

    // MARK: Kinds

    private static func titleSet(_ body: TitleSetBody) -> [String] {
        let titles = body.candidates.enumerated().map { index, candidate in
            let marks = [candidate.score.map { "\($0) 分" }, body.selected == index ? "已选用" : nil].compactMap(\.self)
            let head = "\(index + 1). **\(MarkdownText.inline(candidate.title))**"
            return
                ([head + (marks.isEmpty ? "" : "（\(marks.joined(separator: "，"))）")]
                + candidate.reasons.map { "   - \(MarkdownText.inline($0))" }).joined(separator: "\n")
        }
        return [facts(["平台": body.platform.chineseName, "主题": body.topic]), titles.joined(separator: "\n")]
    }

    private static func copy(_ body: CopyBody, of content: Content) -> [String] {
        [
            facts(["平台": body.platform.chineseName, "主题": body.topic]), body.title.map { title($0, of: content) } ?? "",
            MarkdownText.paragraphs(body.text), callToAction(body.callToAction), hashtags(body.hashtags),
        ]
    }

    private static func imageText(_ body: ImageTextBody, of content: Content) -> [String] {
        let pictures = body.slots.enumerated().map { index, slot in
            let picture = slot.assetId.map { "![\(MarkdownText.inline(slot.alt))](/api/assets/\($0.text)/content)" } ?? ""
            let state = slot.assetId == nil ? slot.problem.map { "未生成：\($0)" } ?? "待配图" : ""
            return [
                "### 图 \(index + 1)", picture,
                facts(["状态": state, "图说": slot.caption, "替代文字": slot.alt, "画面提示词": slot.prompt]),
            ].filter { !$0.isEmpty }.joined(separator: "\n\n")
        }
        return [
            facts(["平台": body.platform.chineseName, "主题": body.topic]), title(body.title, of: content),
            MarkdownText.paragraphs(body.text), callToAction(body.callToAction), hashtags(body.hashtags), "## 配图",
        ] + pictures
    }

    private static func video(_ body: VideoBody, of content: Content) -> [String] {
        [
            facts(["平台": body.platform.chineseName, "主题": body.topic]), title(body.title, of: content),
            MarkdownText.paragraphs(body.text), hashtags(body.hashtags),
            facts(["状态": body.video.assetId == nil ? "待上传视频" : "已有视频"]),
        ]
    }

    private static func replyTemplate(_ body: ReplyTemplateBody) -> [String] {
        let variables = body.variables.map { variable in
            "- \(MarkdownText.inline(variable.name))"
                + (variable.fallback.map { "（缺省：\(MarkdownText.inline($0))）" } ?? "")
        }
        return [facts(["场景": body.scene]), MarkdownText.paragraphs(body.text), variables.joined(separator: "\n")]
    }

    private static func videoScript(_ body: VideoScriptBody) -> [String] {
        let rows = body.scenes.map { scene in
            let time =
                "\(clock(scene.startSecond))–\(clock(scene.startSecond + scene.durationSeconds))（\(scene.durationSeconds) 秒）"
            let cells =
                ["\(scene.index)", time]
                + [
                    scene.shot, scene.camera, scene.visual, scene.line, scene.subtitle, scene.bgm,
                    scene.props.joined(separator: "、"),
                ].map(MarkdownText.inline)
            return "| \(cells.joined(separator: " | ")) |"
        }
        let heads = "| 镜号 | 时间 | 景别 | 运镜 | 画面 | 台词 | 字幕 | 音乐 | 道具 |"
        var seen: Set<String> = []
        let props = body.scenes.flatMap(\.props).filter { seen.insert($0).inserted }
        return [
            facts([
                "平台": body.platform.chineseName, "类型": body.scriptType.chineseName, "主题": body.topic,
                "时长": "\(body.totalSeconds) 秒（要求 \(body.durationSeconds) 秒），\(body.scenes.count) 个镜头", "开场": body.hook,
                "结尾": body.cta, "道具清单": props.joined(separator: "、"),
            ]), "## 分镜", ([heads, "|" + String(repeating: "---|", count: 9)] + rows).joined(separator: "\n"),
            hashtags(body.hashtags),
        ]
    }

    // MARK: Parts

    /// What is published as the title, where the content is not called so already.
    private static func title(_ title: String, of content: Content) -> String {
        title == content.title ? "" : "## \(MarkdownText.inline(title))"
    }

    /// A list of what is known; what is empty is left out.
    private static func facts(_ facts: KeyValuePairs<String, String>) -> String {
        facts.filter { !$0.value.isEmpty }.map { "- **\($0.key)**：\(MarkdownText.inline($0.value))" }.joined(separator: "\n")
    }

    private static func callToAction(_ text: String?) -> String { text.map { "**行动引导**：\(MarkdownText.inline($0))" } ?? "" }

    private static func hashtags(_ tags: [String]) -> String {
        tags.isEmpty ? "" : "**话题**：" + tags.map { "#\(MarkdownText.inline($0))" }.joined(separator: " ")
    }

    /// `1:05`.
    private static func clock(_ seconds: Int) -> String { "\(seconds / 60):\(seconds % 60 < 10 ? "0" : "")\(seconds % 60)" }
}

extension ContentPlatform {
    /// As people call it.
    fileprivate var chineseName: String {
        switch self {
        case .douyin: "抖音"
        case .xiaohongshu: "小红书"
        case .wechatChannels: "视频号"
        case .kuaishou: "快手"
        case .bilibili: "哔哩哔哩"
        case .weibo: "微博"
        case .wechatOfficial: "公众号"
        case .zhihu: "知乎"
        }
    }
}

extension VideoScriptType {
    fileprivate var chineseName: String {
        switch self {
        case .product: "产品介绍"
        case .story: "剧情"
        case .tutorial: "教程"
        case .review: "测评"
        case .vlog: "日常记录"
        case .liveTeaser: "直播预告"
        }
    }
}
