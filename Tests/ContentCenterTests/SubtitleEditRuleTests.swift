import DTO
import Foundation
import HTTPCore
import TestSupport
import Testing

@testable import ContentCenter

/// What an edited subtitle file may say.
@Suite(.apartFromThePool) struct SubtitleEditRuleTests {
    private static func cue(_ begin: Int, _ end: Int, _ lines: String...) -> SubtitleCue {
        SubtitleCue(startMilliseconds: begin, endMilliseconds: end, lines: lines)
    }

    private static func refused(_ json: String) -> [String] {
        do {
            _ = try SubtitleEditingInput.edit(JSONValue(parsing: Array(json.utf8)))
            return []
        } catch let failure as ValidationFailure {
            return failure.issues.map { "\($0.pointer) \($0.code)" }
        } catch { return ["\(error)"] }
    }

    @Test func takesCuesWithoutBlanksAtTheirEnds() throws {
        let json =
            #"{"form": "vtt", "cues": [{"startMs": 0, "endMs": 1, "lines": [" A <b> "]}, {"startMs": 0, "endMs": 9, "lines": ["乙"]}]}"#
        let edit = try SubtitleEditingInput.edit(JSONValue(parsing: Array(json.utf8)))
        #expect(edit == SubtitleEdit(form: .vtt, cues: [Self.cue(0, 1, "A <b>"), Self.cue(0, 9, "乙")]))
    }

    @Test(arguments: [
        (#"{}"#, ["/cues required"]),
        (#"{"cues": []}"#, ["/cues too_few_items"]),
        (#"{"form": "ass", "cues": [{"startMs": 0, "endMs": 1, "lines": ["a"]}]}"#, ["/form unknown_value"]),
        (#"{"cues": [{"startMs": 5, "endMs": 5, "lines": ["a"]}]}"#, ["/cues/0/endMs ends_before_it_begins"]),
        (
            #"{"cues": [{"startMs": 5, "endMs": 9, "lines": ["a"]}, {"startMs": 4, "endMs": 9, "lines": ["a"]}]}"#,
            ["/cues/1/startMs begins_before_the_one_before"]
        ),
        (
            #"{"cues": [{"startMs": -1, "endMs": 360000000, "lines": []}]}"#,
            [
                "/cues/0/startMs out_of_range", "/cues/0/endMs out_of_range", "/cues/0/lines too_few_items",
            ]
        ),
        (
            #"{"cues": [{"startMs": 0, "endMs": 1, "lines": ["a", " "], "align": "l"}]}"#,
            [
                "/cues/0/lines/1 blank", "/cues/0/align unknown_field",
            ]
        ),
        (
            #"{"cues": [7, {"startMs": 0, "endMs": 1, "lines": ["a\nb", "好", "a --> b", "a\u2028b", "\u0007"]}]}"#,
            [
                "/cues/0 wrong_type", "/cues/1/lines/4 control_character",
            ]
        ),
        (
            #"{"cues": [{"startMs": 0, "endMs": 1, "lines": ["a\nb", "好", "a --> b", "a\u2028b", "\t"]}]}"#,
            [
                "/cues/0/lines/4 blank"
            ]
        ),
        (
            #"{"cues": [{"startMs": 0, "endMs": 1, "lines": ["a\nb", "好", "a --> b", "a\u2028b"]}]}"#,
            [
                "/cues/0/lines/0 control_character", "/cues/0/lines/2 arrow", "/cues/0/lines/3 control_character",
            ]
        ),
        (
            #"{"cues": [{"startMs": 0, "endMs": 1, "lines": ["1","2","3","4","5","6","7","8","9"]}]}"#,
            ["/cues/0/lines too_many_items"]
        ),
    ])
    func namesWhatIsWrong(json: String, issues: [String]) {
        #expect(Self.refused(json) == issues)
    }

    @Test func namesOnlySoMuch() {
        let cues = Array(repeating: #"{"startMs": 1, "endMs": 0, "lines": [""]}"#, count: 5_000).joined(separator: ",")
        #expect(Self.refused(#"{"cues": [\#(cues)]}"#).count == SubtitleEditRule.mostIssues)
        let more = Array(repeating: #"{"startMs": 1, "endMs": 2, "lines": ["a"]}"#, count: 20_001).joined(separator: ",")
        #expect(Self.refused(#"{"cues": [\#(more)]}"#) == ["/cues too_many_items"])
    }

    @Test(arguments: SubtitleForm.allCases) func aFileSaysWhatWasSent(form: SubtitleForm) throws {
        let cues = [Self.cue(0, 1, "1", "NOTE"), Self.cue(0, 359_999_999, "A < B & C > D", "{好}", "👩‍👩‍👧 3 < 5")]
        let sent = form == .srt ? [cues[0], Self.cue(0, 359_999_999, "A < B & C", "{好}")] : cues
        let bytes = try SubtitleEditRule.file(of: sent, as: form)
        #expect(try SubtitleForm.cues(in: String(decoding: bytes, as: UTF8.self)) == sent)
    }

    /// SubRip cannot say it; in WebVTT braces are the only thing that falls away.
    @Test func whatWouldFallAwayIsRefused() throws {
        let cues = [Self.cue(0, 1, "好"), Self.cue(1, 2, "好", "A <b>粗</b>"), Self.cue(2, 3, "&amp;"), Self.cue(3, 4, #"{\an8}上"#)]
        func lost(_ form: SubtitleForm) -> [String] {
            do {
                _ = try SubtitleEditRule.file(of: cues, as: form)
                return []
            } catch { return (error as? ValidationFailure)?.issues.map { "\($0.pointer) \($0.code)" } ?? [] }
        }
        #expect(lost(.srt) == ["/cues/1/lines/1 markup", "/cues/2/lines/0 markup", "/cues/3/lines/0 markup"])
        #expect(lost(.vtt) == ["/cues/3/lines/0 markup"])
    }

    @Test func aFileHasAnEnd() {
        let line = String(repeating: "字", count: 500)
        let cues = (0..<1_500).map { Self.cue($0, $0 + 1, line) }
        var found: [String] = []
        do { _ = try SubtitleEditRule.file(of: cues, as: .vtt) } catch {
            found = (error as? ValidationFailure)?.issues.map { "\($0.pointer) \($0.code)" } ?? []
        }
        #expect(found == ["/cues too_large"])
    }

    @Test(arguments: [
        ("讲座.srt", SubtitleForm.srt, "讲座-edited.srt"), ("讲座.SRT", .vtt, "讲座-edited.vtt"),
        ("讲座-edited.vtt", .vtt, "讲座-edited.vtt"), ("讲座", .srt, "讲座-edited.srt"),
        (String(repeating: "长", count: 200) + ".srt", .srt, String(repeating: "长", count: 189) + "-edited.srt"),
    ])
    func isNamedLikeItsSource(name: String, form: SubtitleForm, edited: String) {
        #expect(SubtitleEditRule.filename(editing: name, as: form) == edited)
        #expect(FileNameRule.check(edited, as: form == .srt ? .subRip : .webVTT)?.code == nil)
    }
}
