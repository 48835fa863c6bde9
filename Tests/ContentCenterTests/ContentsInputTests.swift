import DTO
import Foundation
import HTTPCore
import Testing

@testable import ContentCenter

@Suite struct ContentsInputTests {
    @Test func readsTheThreeStatesOfAChoice() throws {
        #expect(try patch("{}") == ContentPatch())
        #expect(try patch(#"{"selected": null}"#) == ContentPatch(selected: Nullable<Int>.none))
        #expect(try patch(#"{"selected": 2}"#) == ContentPatch(selected: .value(2)))
    }

    @Test func readsAWholePatch() throws {
        #expect(
            try patch(#"{"title": "新名字", "candidates": [{"title": "甲"}, {"title": "乙"}], "selected": 0}"#)
                == ContentPatch(
                    title: "新名字", candidates: [.init(title: "甲"), .init(title: "乙")], selected: .value(0)))
    }

    @Test(arguments: [
        (#"{"title": null}"#, ["/title wrong_type"]),
        (#"{"title": " "}"#, ["/title blank"]),
        (#"{"candidates": []}"#, ["/candidates too_few_items"]),
        (#"{"candidates": null}"#, ["/candidates wrong_type"]),
        (#"{"candidates": ["甲"]}"#, ["/candidates/0 wrong_type"]),
        (#"{"candidates": [{"title": "甲", "score": 100}]}"#, ["/candidates/0/score unknown_field"]),
        (
            #"{"candidates": [{"title": "甲"}, {}, {"title": "甲"}]}"#,
            ["/candidates/1/title required", "/candidates/2/title repeated"]
        ),
        (#"{"selected": -1}"#, ["/selected out_of_range"]),
        (#"{"selected": "0"}"#, ["/selected wrong_type"]),
        (#"{"status": "published", "body": {"colour": 1}}"#, ["/body/colour unknown_field", "/status unknown_field"]),
    ])
    func tellsEveryProblemOfAPatch(body: String, expected: [String]) {
        #expect(issues { try patch(body) } == expected)
    }

    @Test(arguments: [(1_900, []), (1_901, ["/body too_long"])])
    func allTextsTogetherHaveALimit(last: Int, expected: [String]) {
        func scene(_ length: Int) -> String {
            let line = String(repeating: "好", count: length)
            return
                #"{"durationSeconds": 1, "shot": "", "camera": "", "visual": "图", "line": "\#(line)", "subtitle": "", "bgm": "", "props": []}"#
        }
        let scenes = [String](repeating: scene(2_000), count: 99) + [scene(last)]
        #expect(issues { try patch(#"{"body": {"scenes": [\#(scenes.joined(separator: ","))]}}"#) } == expected)
    }

    @Test func refusesFiftyOneCandidates() {
        let list = (0...50).map { #"{"title": "t\#($0)"}"# }.joined(separator: ",")
        #expect(issues { try patch(#"{"candidates": [\#(list)]}"#) } == ["/candidates too_many_items"])
    }

    @Test func aPatchOfTheDTOReadsTheSame() throws {
        let patch = ContentPatch(title: "新", candidates: [.init(title: "甲")], selected: Nullable<Int>.none)
        let json = try JSONValue(parsing: JSON.encode(patch))
        #expect(try ContentPatchInput.read(json) == patch)
        #expect(try JSON.decode(ContentPatch.self, from: json) == patch)
    }

    @Test func readsADraftAsItsDTOWritesIt() throws {
        let draft = NewContent.sample
        #expect(try ContentsInput.newContent(JSONValue(parsing: JSON.encode(draft))) == draft)
    }

    @Test func tellsEveryProblemOfADraft() {
        let body = """
            {"step": "Title Set", "kind": "title_set", "title": "", "source": {"kind": "magic"}, "body": {
             "topic": "猫", "platform": "douyin", "candidates": [{"title": "甲", "score": 101, "reasons": [], "formula": "number"}], "x": 1}}
            """
        #expect(
            issues { try ContentsInput.newContent(JSONValue(parsing: Array(body.utf8))) } == [
                "/step malformed", "/title too_short", "/body/candidates/0/score out_of_range",
                "/body/x unknown_field",
                "/source/kind unknown_value",
            ])
    }

    @Test func withoutAKnownKindTheBodyCannotBeJudged() throws {
        let body = #"{"step": "a", "kind": "poem", "title": "t", "source": {"kind": "human"}, "body": {"x": 1}}"#
        #expect(issues { try ContentsInput.newContent(JSONValue(parsing: Array(body.utf8))) } == ["/kind unknown_value"])
    }

    @Test func readsListQueries() throws {
        let id = try #require(UUID(uuidString: "0198c0de-0000-7000-8000-000000000001"))
        let cursor = try PageCursor.encode(id, as: ContentsInput.contentsCursor)
        #expect(
            try ContentsInput.list([("limit", "7"), ("kind", "title_set"), ("status", "in_review"), ("cursor", cursor)])
                == ContentFilter(kind: .titleSet, status: .inReview, olderThan: id, limit: 7))
        #expect(try ContentsInput.list([]) == ContentFilter(limit: 20))
        let foreign = try PageCursor.encode(3, as: ContentsInput.versionsCursor)
        #expect(
            issues {
                try ContentsInput.list([("limit", "0"), ("kind", "x"), ("status", "y"), ("cursor", foreign), ("page", "2")])
            } == [
                "?limit out_of_range", "?cursor malformed", "?kind unknown_value", "?status unknown_value", "?page unknown_field",
            ])
    }

    private func patch(_ text: String) throws -> ContentPatch { try ContentPatchInput.read(JSONValue(parsing: Array(text.utf8))) }

    private func issues(_ read: () throws -> some Any) -> [String] {
        do {
            _ = try read()
            return []
        } catch let failure as ValidationFailure {
            return failure.issues.map { "\($0.pointer) \($0.code)" }
        } catch {
            return ["\(error)"]
        }
    }
}
