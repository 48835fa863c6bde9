import DTO
import Foundation
import HTTPCore
import HTTPServing
import Testing

@testable import ContentCenter

/// Files made of contents, byte for byte.
@Suite struct ContentExportTests {
    static let script = VideoScriptBody(
        topic: "猫砂盆", platform: .douyin, scriptType: .tutorial, durationSeconds: 20, hook: "别再买错|了",
        scenes: [
            VideoScene(
                index: 1, startSecond: 0, durationSeconds: 8, shot: "特写", camera: "推进", visual: "猫\n看镜头", line: "你家猫砂盆，还臭吗？三步就好。",
                subtitle: "=1+1", bgm: "轻快", props: ["猫砂盆", "铲子"]),
            VideoScene(
                index: 2, startSecond: 8, durationSeconds: 5, shot: "中景", camera: "", visual: "倒砂, 刮平", line: "", subtitle: "",
                bgm: "", props: ["铲子"]),
            VideoScene(
                index: 3, startSecond: 13, durationSeconds: 7, shot: "", camera: "", visual: "\"对比\"",
                line: "每天 10 minutes 打扫一次，用 baking soda 去味，比喷香水管用得多", subtitle: "", bgm: "", props: []),
        ], cta: "关注我", hashtags: ["养猫", "清洁"], totalSeconds: 20)

    static func content(_ body: ContentBody, title: String = "猫砂盆") -> Content {
        Content(
            id: UUID(), status: .draft, version: 1, title: title, body: body, source: VersionSource(kind: .human), author: "u",
            createdAt: Date(timeIntervalSince1970: 0), updatedAt: Date(timeIntervalSince1970: 0))
    }

    private func text(_ body: ContentBody, _ format: ContentExportFormat = .markdown, title: String = "猫砂盆") throws -> String {
        String(decoding: try ContentExport.file(of: Self.content(body, title: title), as: format).bytes, as: UTF8.self)
    }

    @Test func aScriptIsATableOfShots() throws {
        #expect(
            try text(.videoScript(Self.script)) == ##"""
                # 猫砂盆

                - **平台**：抖音
                - **类型**：教程
                - **主题**：猫砂盆
                - **时长**：20 秒（要求 20 秒），3 个镜头
                - **开场**：别再买错\|了
                - **结尾**：关注我
                - **道具清单**：猫砂盆、铲子

                ## 分镜

                | 镜号 | 时间 | 景别 | 运镜 | 画面 | 台词 | 字幕 | 音乐 | 道具 |
                |---|---|---|---|---|---|---|---|---|
                | 1 | 0:00–0:08（8 秒） | 特写 | 推进 | 猫<br>看镜头 | 你家猫砂盆，还臭吗？三步就好。 | =1+1 | 轻快 | 猫砂盆、铲子 |
                | 2 | 0:08–0:13（5 秒） | 中景 |  | 倒砂, 刮平 |  |  |  | 铲子 |
                | 3 | 0:13–0:20（7 秒） |  |  | "对比" | 每天 10 minutes 打扫一次，用 baking soda 去味，比喷香水管用得多 |  |  |  |

                **话题**：#养猫 #清洁

                """##)
    }

    @Test func aScriptIsASpreadsheet() throws {
        let rows = [
            "\u{FEFF}镜号,开始（秒）,时长（秒）,景别,运镜,画面,台词,字幕,音乐,道具",
            "1,0,8,特写,推进,\"猫\n看镜头\",你家猫砂盆，还臭吗？三步就好。,'=1+1,轻快,猫砂盆、铲子", "2,8,5,中景,,\"倒砂, 刮平\",,,,铲子",
            "3,13,7,,,\"\"\"对比\"\"\",每天 10 minutes 打扫一次，用 baking soda 去味，比喷香水管用得多,,,", "",
        ]
        #expect(try text(.videoScript(Self.script), .csv) == rows.joined(separator: "\r\n"))
    }

    @Test(arguments: [
        ("=SUM(A1)", "'=SUM(A1)"), ("+86", "'+86"), ("-1", "'-1"), ("@猫", "'@猫"), ("＝1", "'＝1"), ("  =1", "'  =1"),
        ("\t猫", "'\t猫"),
        ("\n=1", "\"'\n=1\""), ("\r\n猫", "\"'\r\n猫\""), ("=HYPERLINK(\"a\",\"b\")", "\"'=HYPERLINK(\"\"a\"\",\"\"b\"\")\""),
        ("1=1", "1=1"), ("猫", "猫"), ("", ""),
    ]) func noCellIsAFormula(text: String, cell: String) { #expect(ShotList.cell(text) == cell) }

    /// Scene 1: 30 columns at 8 a second are 3.75 s, two thirds of them its first sentence. Scene 3: 63 columns would take 7.9 s, it has 7;
    /// its first two clauses are 47 columns.
    @Test func aScriptIsSubtitles() throws {
        let cues = [
            "1", "00:00:00,000 --> 00:00:02,500", "你家猫砂盆，还臭吗？", "", "2", "00:00:02,500 --> 00:00:03,750", "三步就好。", "", "3",
            "00:00:13,000 --> 00:00:18,222", "每天 10 minutes 打扫一次，", "用 baking soda 去味，", "", "4",
            "00:00:18,222 --> 00:00:20,000", "比喷香水管用得多", "", "",
        ]
        var spoken = Self.script
        spoken.scenes[0].subtitle = " "
        #expect(try text(.videoScript(spoken), .srt) == cues.joined(separator: "\r\n"))
    }

    /// Also where nobody speaks.
    @Test func whatASceneWritesUnderItsPictureIsItsSubtitle() throws {
        var script = Self.script
        script.scenes[1].subtitle = "倒砂"
        script.scenes[2].line = ""
        let cues = ["1", "00:00:00,000 --> 00:00:08,000", "=1+1", "", "2", "00:00:08,000 --> 00:00:13,000", "倒砂", "", ""]
        #expect(try text(.videoScript(script), .srt) == cues.joined(separator: "\r\n"))
    }

    @Test(arguments: [
        ("", []),
        ("好。", [["好。"]]),
        // Sixteen characters stand on one line; the seventeenth makes two, as even as can be.
        ("一二三四五六七八九十一二三四五六", [["一二三四五六七八九十一二三四五六"]]),
        ("一二三四五六七八九十一二三四五六七", [["一二三四五六七八", "九十一二三四五六七"]]),
        // Rather after a particle, which ends a word, than a little more evenly.
        ("我觉得这款通勤包真的比上一款好用很多呢", [["我觉得这款通勤包真的", "比上一款好用很多呢"]]),
        // No line begins with a closing mark or ends with an opening one.
        ("一二三四五六七八，九十一二三四五六七", [["一二三四五六七八，", "九十一二三四五六七"]]),
        ("一二三四五六七八九（十一二三四五六七）", [["一二三四五六七八九", "（十一二三四五六七）"]]),
        // Sentences part, their marks stay together.
        ("真的？！当然。“走吧！”他说", [["真的？！"], ["当然。"], ["“走吧！”"], ["他说"]]),
        ("第一行\n第二行", [["第一行"], ["第二行"]]),
        // Words and numbers stay whole.
        ("我们今天来讲 international standards 怎么读", [["我们今天来讲 international", "standards 怎么读"]]),
        ("99.9%的人都不知道 3.5kg 的秘密在哪里呢", [["99.9%的人都不知道", "3.5kg 的秘密在哪里呢"]]),
        ("一二三四五六七八九十一二 12:30 开始三四五", [["一二三四五六七八九十一二", "12:30 开始三四五"]]),
        ("00:00:01,000 --> 2", [["00:00:01,000 → 2"]]),
    ]) func chineseLinesBreakWhereTheyMay(text: String, blocks: [[String]]) { #expect(SubtitleText.blocks(text) == blocks) }

    @Test func aLongClauseFillsSeveralCues() {
        let blocks = SubtitleText.blocks(String(repeating: "字", count: 70))
        #expect(blocks.map { $0.map(\.count) } == [[16, 16], [16, 16], [6]])
    }

    @Test func othersReadAsMarkdown() throws {
        let titles = TitleSetBody(
            topic: "猫", platform: .bilibili,
            candidates: [
                TitleSetCandidate(title: "3 个*细节*", score: 88, reasons: ["含数字"], formula: "number"),
                TitleSetCandidate(title: "自己写的", score: nil, reasons: [], formula: "manual"),
            ], selected: 1)
        #expect(
            try text(.titleSet(titles)) == ##"""
                # 猫砂盆

                - **平台**：哔哩哔哩
                - **主题**：猫

                1. **3 个\*细节\***（88 分）
                   - 含数字
                2. **自己写的**（已选用）

                """##)
        let copy = CopyBody(
            topic: "猫", platform: .xiaohongshu, title: "标题", text: "# 不是标题\n第二行\n\n1. 不是列表 <b>", hashtags: ["猫"],
            callToAction: "收藏")
        #expect(
            try text(.copy(copy)) == ##"""
                # 猫砂盆

                - **平台**：小红书
                - **主题**：猫

                ## 标题

                \# 不是标题\
                第二行

                1\. 不是列表 \<b\>

                **行动引导**：收藏

                **话题**：#猫

                """##)
        // What is called as it is published says so once.
        #expect(try text(.copy(copy), title: "标题").hasPrefix("# 标题\n\n- **平台**：小红书\n- **主题**：猫\n\n\\# 不是标题"))
        let asset = try #require(UUID(uuidString: "0193c5a1-0000-7000-8000-000000000001"))
        let pictures = ImageTextBody(
            topic: "猫", platform: .douyin, title: "三张图", text: "正文", hashtags: [],
            slots: [
                ImageSlot(caption: "封面", alt: "一只[橘]猫", prompt: "a cat", assetId: asset),
                ImageSlot(caption: "", alt: "", prompt: "a dog", problem: "预算已用完"),
                ImageSlot(caption: "", alt: "", prompt: "a bird"),
            ])
        #expect(
            try text(.imageText(pictures)) == ##"""
                # 猫砂盆

                - **平台**：抖音
                - **主题**：猫

                ## 三张图

                正文

                ## 配图

                ### 图 1

                ![一只\[橘\]猫](/api/assets/0193c5a1-0000-7000-8000-000000000001/content)

                - **图说**：封面
                - **替代文字**：一只\[橘\]猫
                - **画面提示词**：a cat

                ### 图 2

                - **状态**：未生成：预算已用完
                - **画面提示词**：a dog

                ### 图 3

                - **状态**：待配图
                - **画面提示词**：a bird

                """##)
    }

    @Test(arguments: [
        ("猫砂盆", "filename*=UTF-8''%E7%8C%AB%E7%A0%82%E7%9B%86.md"),
        ("a b'(1)", "filename*=UTF-8''a%20b%27%281%29.md"),
        ("../etc/passwd", "filename*=UTF-8''_etc_passwd.md"),
        ("CON", "filename*=UTF-8''_CON.md"),
        ("com1.txt", "filename*=UTF-8''_com1.txt.md"),
        ("\u{202E}gpj.exe", "filename*=UTF-8''gpj.exe.md"),
        ("a\r\nSet-Cookie: b", "filename*=UTF-8''a%20Set-Cookie_%20b.md"),
        ("a\"b", "filename*=UTF-8''a_b.md"),
        (" . ", "filename*=UTF-8''copy.md"),
    ]) func aTitleNamesTheFile(title: String, expected: String) {
        let name = ExportFileName(title: title, fallback: "copy", fileExtension: "md")
        #expect(name.contentDisposition == "attachment; filename=\"copy.md\"; " + expected)
    }

    @Test func aLongTitleIsCutBetweenCharacters() {
        let name = ExportFileName(title: String(repeating: "👨‍👩‍👧", count: 40), fallback: "copy", fileExtension: "md")
        #expect(name.stem == String(repeating: "👨‍👩‍👧", count: 10))
    }

    @Test func theServiceHandsOutFiles() async throws {
        try await ContentCenterHarness.run { service in
            let saved = try await service.create(
                NewContent(
                    step: "video_script", title: "猫砂盆", body: .videoScript(Self.script),
                    source: VersionSource(kind: .model, name: "m")))
            let path = "/v1/contents/\(saved.id.lowercase)/export"
            let table = try await service.send(.get, path + "?format=csv")
            #expect(table.status == .ok)
            #expect(table.headers["Content-Type"] == "text/csv; charset=utf-8; header=present")
            #expect(
                table.headers["Content-Disposition"]
                    == "attachment; filename=\"video_script.csv\"; filename*=UTF-8''%E7%8C%AB%E7%A0%82%E7%9B%86.csv")
            #expect(table.body.starts(with: [0xEF, 0xBB, 0xBF]))
            #expect(try await service.send(.get, path).headers["Content-Type"] == "text/markdown; charset=utf-8")
            #expect(
                try await service.send(.get, path + "?format=srt").headers["Content-Type"]
                    == "application/x-subrip; charset=utf-8"
            )
            #expect(try await service.send(.get, path, tenant: UUID()).status == .notFound)
            #expect(try await service.send(.get, path, scopes: []).status == .forbidden)
            for query in ["?format=docx", "?format=csv&format=srt"] {
                let refused = try await service.send(.get, path + query)
                #expect(refused.status == .unprocessableContent)
                #expect(try refused.problem().errors?.map(\.pointer) == ["?format"])
            }
        }
    }

    @Test func aFormatThatDoesNotFitTheKindIsRefused() async throws {
        try await ContentCenterHarness.run { service in
            var silent = Self.script
            for index in silent.scenes.indices { (silent.scenes[index].line, silent.scenes[index].subtitle) = (" ", "") }
            let drafts: [(NewContent, String, String)] = [
                (.sample, "csv", "other_kind"), (.sample, "srt", "other_kind"),
                (
                    NewContent(
                        step: "video_script", title: "无声", body: .videoScript(silent), source: VersionSource(kind: .human)),
                    "srt",
                    "nothing_spoken"
                ),
            ]
            for (draft, format, code) in drafts {
                let saved = try await service.create(draft)
                let refused = try await service.send(.get, "/v1/contents/\(saved.id.lowercase)/export?format=\(format)")
                #expect(refused.status == .unprocessableContent)
                #expect(try refused.problem().errors?.map(\.code) == [code])
            }
        }
    }
}
