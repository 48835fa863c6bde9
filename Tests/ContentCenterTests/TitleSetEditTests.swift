import DTO
import Foundation
import Testing

@testable import ContentCenter

@Suite struct TitleSetEditTests {
    let before = Content(
        id: UUID(), kind: .titleSet, status: .draft, version: 1, title: "猫砂盆",
        body: TitleSetBody(
            topic: "猫砂盆", platform: .douyin,
            candidates: [scored("甲", 90), scored("乙", 80), scored("丙", 70)], selected: 1),
        source: VersionSource(kind: .model, name: "m"), author: "u", createdAt: Date(), updatedAt: Date())

    @Test func anUnchangedTitleKeepsItsScoreWhereverItMoves() throws {
        let edit = try #require(try TitleSetEdit.apply(patch(["丙", "甲"]), to: before))
        #expect(edit.body.candidates == [scored("丙", 70), scored("甲", 90)])
        #expect(edit.title == "猫砂盆")
    }

    @Test func aChangedTitleLosesItsScoreAndSaysWhy() throws {
        let edit = try #require(try TitleSetEdit.apply(patch(["甲！", "乙", "丙"]), to: before))
        #expect(
            edit.body.candidates[0]
                == TitleSetCandidate(title: "甲！", score: nil, reasons: [TitleSetEdit.manualReason], formula: "manual"))
        #expect(edit.body.candidates[1...] == before.body.candidates[1...])
    }

    @Test func aCanonicallyEquivalentSpellingIsAnotherText() throws {
        var accented = before
        accented.body.candidates[0] = scored("caf\u{E9}", 90)
        let edit = try #require(try TitleSetEdit.apply(patch(["cafe\u{301}", "乙", "丙"]), to: accented))
        #expect(edit.body.candidates[0].score == nil)
    }

    @Test(arguments: [
        (["乙", "甲", "丙"], 0 as Int?),  // moved: the choice follows the title
        (["甲", "乙改", "丙"], 1),  // edited in place: the choice stays
        (["甲", "丙"], nil),  // removed: nothing is chosen
        (["甲", "丙", "丁"], nil),  // removed, and another took its place
    ])
    func theChoiceFollowsTheChosenTitle(titles: [String], expected: Int?) throws {
        let edit = try #require(try TitleSetEdit.apply(patch(titles), to: before))
        #expect(edit.body.selected == expected)
    }

    @Test func anExplicitChoiceWins() throws {
        let chosen = try #require(try TitleSetEdit.apply(ContentPatch(selected: .candidate(2)), to: before))
        #expect(chosen.body.selected == 2)
        let cleared = try #require(try TitleSetEdit.apply(ContentPatch(selected: ContentPatch.Selection.none), to: before))
        #expect(cleared.body.selected == nil)
    }

    @Test func aChoicePastTheResultingCandidatesIsRefused() {
        #expect(throws: SelectionOutOfRange(count: 3)) {
            try TitleSetEdit.apply(ContentPatch(selected: .candidate(3)), to: before)
        }
        #expect(throws: SelectionOutOfRange(count: 3)) {
            try TitleSetEdit.apply(ContentPatch(selected: .candidate(-1)), to: before)
        }
        #expect(throws: SelectionOutOfRange(count: 1)) {
            try TitleSetEdit.apply(
                ContentPatch(candidates: [ContentPatch.Candidate(title: "甲")], selected: .candidate(1)), to: before)
        }
    }

    @Test func aPatchThatChangesNothingMakesNoVersion() throws {
        #expect(try TitleSetEdit.apply(ContentPatch(), to: before) == nil)
        #expect(try TitleSetEdit.apply(patch(["甲", "乙", "丙"]), to: before) == nil)
        #expect(try TitleSetEdit.apply(ContentPatch(title: "猫砂盆", selected: .candidate(1)), to: before) == nil)
    }

    @Test func onlyTheNameChangesWhenOnlyTheNameIsSent() throws {
        let edit = try #require(try TitleSetEdit.apply(ContentPatch(title: "新名字"), to: before))
        #expect(edit.title == "新名字")
        #expect(edit.body == before.body)
    }
}

private func scored(_ title: String, _ score: Int) -> TitleSetCandidate {
    TitleSetCandidate(title: title, score: score, reasons: ["长度合适"], formula: "number")
}

private func patch(_ titles: [String]) -> ContentPatch {
    ContentPatch(candidates: titles.map { ContentPatch.Candidate(title: $0) })
}
