import DTO
import Testing

@testable import ContentCenter

@Suite struct ContentDiffingTests {
    /// Whatever the two texts are, the runs give both of them back.
    @Test(arguments: [
        ("", ""), ("", "猫"), ("猫", ""), ("猫砂盆", "猫砂盆"), ("猫砂盆这样选", "猫砂这么选好"), ("abcabba", "cbabac"),
        ("👩‍👩‍👧 好", "👩‍👧 好"), ("e\u{301}", "\u{E9}"), ("一二三四五", "五四三二一"), ("a\nb", "a\n\nb"),
    ])
    func runsGiveBothTextsBack(before: String, after: String) {
        let runs = ContentDiffing.runs(from: before, to: after)
        let old = runs.filter { $0.kind != .added }.map(\.text).joined()
        let new = runs.filter { $0.kind != .removed }.map(\.text).joined()
        #expect(Array(old.unicodeScalars) == Array(before.unicodeScalars))
        #expect(Array(new.unicodeScalars) == Array(after.unicodeScalars))
        for (run, next) in zip(runs, runs.dropFirst()) { #expect(run.kind != next.kind) }
        #expect(runs.allSatisfy { !$0.text.isEmpty })
    }

    @Test func oneChangedCharacterIsOneRun() {
        #expect(
            ContentDiffing.runs(from: "今天去跑步", to: "明天去跑步") == [
                ContentTextRun(kind: .removed, text: "今"), ContentTextRun(kind: .added, text: "明"),
                ContentTextRun(kind: .same, text: "天去跑步"),
            ])
    }

    @Test func twoSpellingsOfOneCharacterDiffer() {
        #expect(ContentDiffing.runs(from: "e\u{301}", to: "\u{E9}").map(\.kind) == [.removed, .added])
    }

    @Test func longTextsThatHaveNothingInCommonAreOneReplacement() {
        let (before, after) = ("头" + String(repeating: "甲", count: 20_000), "头" + String(repeating: "乙", count: 20_000))
        #expect(ContentDiffing.runs(from: before, to: after).map(\.kind) == [.same, .removed, .added])
    }
}
