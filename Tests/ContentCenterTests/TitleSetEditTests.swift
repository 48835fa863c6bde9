import DTO
import Foundation
import HTTPCore
import Testing

@testable import ContentCenter

@Suite struct TitleSetEditTests {
    let before = TitleSetBody(
        topic: "猫砂盆", platform: .douyin, candidates: [scored("甲", 90), scored("乙", 80), scored("丙", 70)], selected: 1)

    @Test func anUnchangedTitleKeepsItsScoreWhereverItMoves() throws {
        let edit = try TitleSetEdit.apply(patch(["丙", "甲"]), to: before)
        #expect(edit.candidates == [scored("丙", 70), scored("甲", 90)])
    }

    @Test func aChangedTitleLosesItsScoreAndSaysWhy() throws {
        let edit = try TitleSetEdit.apply(patch(["甲！", "乙", "丙"]), to: before)
        #expect(
            edit.candidates[0]
                == TitleSetCandidate(title: "甲！", score: nil, reasons: [TitleSetEdit.manualReason], formula: "manual"))
        #expect(edit.candidates[1...] == before.candidates[1...])
    }

    @Test func aCanonicallyEquivalentSpellingIsAnotherText() throws {
        var accented = before
        accented.candidates[0] = scored("caf\u{E9}", 90)
        let edit = try TitleSetEdit.apply(patch(["cafe\u{301}", "乙", "丙"]), to: accented)
        #expect(edit.candidates[0].score == nil)
    }

    @Test(arguments: [
        (["乙", "甲", "丙"], 0 as Int?),  // moved: the choice follows the title
        (["甲", "乙改", "丙"], 1),  // edited in place: the choice stays
        (["甲", "丙"], nil),  // removed: nothing is chosen
        (["甲", "丙", "丁"], nil),  // removed, and another took its place
    ])
    func theChoiceFollowsTheChosenTitle(titles: [String], expected: Int?) throws {
        let edit = try TitleSetEdit.apply(patch(titles), to: before)
        #expect(edit.selected == expected)
    }

    @Test func anExplicitChoiceWins() throws {
        let chosen = try TitleSetEdit.apply(ContentPatch(selected: .value(2)), to: before)
        #expect(chosen.selected == 2)
        let cleared = try TitleSetEdit.apply(ContentPatch(selected: Nullable<Int>.none), to: before)
        #expect(cleared.selected == nil)
    }

    @Test func aChoicePastTheResultingCandidatesIsRefused() {
        #expect(throws: SelectionOutOfRange(count: 3)) {
            try TitleSetEdit.apply(ContentPatch(selected: .value(3)), to: before)
        }
        #expect(throws: SelectionOutOfRange(count: 3)) {
            try TitleSetEdit.apply(ContentPatch(selected: .value(-1)), to: before)
        }
        #expect(throws: SelectionOutOfRange(count: 1)) {
            try TitleSetEdit.apply(
                ContentPatch(candidates: [ContentPatch.Candidate(title: "甲")], selected: .value(1)), to: before)
        }
    }

    @Test func aPatchThatChangesNothingMakesNoVersion() throws {
        let content = content(.titleSet(before))
        #expect(try ContentEdit.apply(ContentPatch(), to: content) == nil)
        #expect(try ContentEdit.apply(patch(["甲", "乙", "丙"]), to: content) == nil)
        #expect(try ContentEdit.apply(ContentPatch(title: "猫砂盆", selected: .value(1)), to: content) == nil)
    }

    @Test func onlyTheNameChangesWhenOnlyTheNameIsSent() throws {
        let edit = try #require(try ContentEdit.apply(ContentPatch(title: "新名字"), to: content(.titleSet(before))))
        #expect(edit.title == "新名字")
        #expect(edit.body == .titleSet(before))
    }
}

/// The second edit of every other kind.
@Suite struct ContentEditRulesTests {
    let copy = CopyBody(
        topic: "猫砂盆", platform: .xiaohongshu, title: "选对猫砂盆", text: "正文", hashtags: ["猫"], callToAction: "收藏")
    let imageText = ImageTextBody(
        topic: "猫砂盆", platform: .xiaohongshu, title: "三张图", text: "正文", hashtags: [],
        slots: [ImageSlot(caption: "一", alt: "图", prompt: "a cat", assetId: UUID())])
    let script = VideoScriptBody(
        topic: "猫砂盆", platform: .douyin, scriptType: .product, durationSeconds: 10, hook: "别急",
        scenes: [scene(1, 0, 4), scene(2, 4, 6)], cta: "关注", hashtags: [], totalSeconds: 10)

    @Test func aMergePatchChangesWhatItNamesAndTakesAwayWhatIsNull() throws {
        let patch = ContentPatch(body: ContentBodyPatch(title: Nullable<String>.none, text: "新正文", hashtags: ["猫", "砂"]))
        var expected = copy
        expected.title = nil
        expected.text = "新正文"
        expected.hashtags = ["猫", "砂"]
        #expect(try ContentEdit.apply(patch, to: content(.copy(copy)))?.body == .copy(expected))
    }

    @Test func scenesAreNumberedAndTimedByTheirOrder() throws {
        let edits = [scene(9, 50, 7), scene(9, 50, 3), scene(9, 50, 5)].map(\.edit)
        let edit = try #require(
            try ContentEdit.apply(ContentPatch(body: ContentBodyPatch(scenes: edits)), to: content(.videoScript(script))))
        guard case .videoScript(let after) = edit.body else { throw Missing() }
        #expect(after.scenes.map(\.index) == [1, 2, 3])
        #expect(after.scenes.map(\.startSecond) == [0, 7, 10])
        #expect(after.totalSeconds == 15)
        #expect(after.durationSeconds == 10)
    }

    @Test func aPictureTakenAwayMakesADraftOfWhatWasFinished() throws {
        #expect(ContentBody.imageText(imageText).completeness == .finished)
        let patch = ContentPatch(body: ContentBodyPatch(slots: [ImageSlot(caption: "一", alt: "图", prompt: "a cat")]))
        let edit = try #require(try ContentEdit.apply(patch, to: content(.imageText(imageText))))
        #expect(edit.body.completeness == .draft)
    }

    @Test func membersOfAnotherKindAreRefusedByName() {
        func refused(_ patch: ContentPatch, _ body: ContentBody) -> [String] {
            do {
                _ = try ContentEdit.apply(patch, to: content(body))
                return []
            } catch {
                guard case .editRefused(let issues) = error else { return ["\(error)"] }
                return issues.map { "\($0.pointer) \($0.code)" }
            }
        }
        let everything = ContentPatch(
            candidates: [.init(title: "甲")], selected: .value(0),
            body: ContentBodyPatch(
                title: .value("甲"), text: "甲", callToAction: .value("甲"), hashtags: [], slots: [], hook: "甲", scenes: [], cta: "甲"
            ))
        #expect(
            refused(everything, .copy(copy)) == [
                "/candidates unknown_field", "/selected unknown_field", "/body/slots unknown_field", "/body/hook unknown_field",
                "/body/scenes unknown_field", "/body/cta unknown_field",
            ])
        #expect(
            refused(everything, .imageText(imageText)) == [
                "/candidates unknown_field", "/selected unknown_field", "/body/hook unknown_field", "/body/scenes unknown_field",
                "/body/cta unknown_field",
            ])
        #expect(
            refused(everything, .videoScript(script)) == [
                "/candidates unknown_field", "/selected unknown_field", "/body/title unknown_field", "/body/text unknown_field",
                "/body/callToAction unknown_field", "/body/slots unknown_field",
            ])
        #expect(
            refused(ContentPatch(body: ContentBodyPatch(title: Nullable<String>.none)), .imageText(imageText)) == [
                "/body/title required"
            ])
    }
}

private struct Missing: Error {}

private func content(_ body: ContentBody) -> Content {
    Content(
        id: UUID(), status: .draft, version: 1, title: "猫砂盆", body: body, source: VersionSource(kind: .model, name: "m"),
        author: "u", createdAt: Date(), updatedAt: Date())
}

private func scene(_ index: Int, _ start: Int, _ seconds: Int) -> VideoScene {
    VideoScene(
        index: index, startSecond: start, durationSeconds: seconds, shot: "特写", camera: "推进", visual: "猫", line: "你好",
        subtitle: "", bgm: "", props: [])
}

extension VideoScene {
    fileprivate var edit: SceneEdit {
        SceneEdit(
            durationSeconds: durationSeconds, shot: shot, camera: camera, visual: visual, line: line, subtitle: subtitle,
            bgm: bgm, props: props)
    }
}

private func scored(_ title: String, _ score: Int) -> TitleSetCandidate {
    TitleSetCandidate(title: title, score: score, reasons: ["长度合适"], formula: "number")
}

private func patch(_ titles: [String]) -> ContentPatch {
    ContentPatch(candidates: titles.map { ContentPatch.Candidate(title: $0) })
}
