import TestSupport
import Testing

@testable import ContentCenter

@Suite(.apartFromThePool) struct SubtitleCueTests {
    private static let cues = [
        SubtitleCue(startMilliseconds: 0, endMilliseconds: 1_500, lines: ["大家好"]),
        SubtitleCue(startMilliseconds: 3_599_500, endMilliseconds: 3_661_007, lines: ["A < B & C", "第二行"]),
    ]

    @Test func writesSubRip() {
        #expect(
            SubtitleForm.srt.text(of: Self.cues)
                == "1\r\n00:00:00,000 --> 00:00:01,500\r\n大家好\r\n\r\n2\r\n00:59:59,500 --> 01:01:01,007\r\nA < B & C\r\n第二行\r\n\r\n"
        )
    }

    @Test func writesWebVTT() {
        #expect(
            SubtitleForm.vtt.text(of: Self.cues)
                == """
                WEBVTT

                00:00:00.000 --> 00:00:01.500
                大家好

                00:59:59.500 --> 01:01:01.007
                A &lt; B &amp; C
                第二行


                """)
    }

    @Test(arguments: SubtitleForm.allCases) func readsWhatItWrites(form: SubtitleForm) throws {
        #expect(try SubtitleForm.cues(in: form.text(of: Self.cues)) == Self.cues)
    }

    @Test(arguments: [
        "\u{FEFF}1\r\n00:00:01,0 --> 00:00:02,50\r\n你好\r\n", "00:01.000 --> 00:02.500\n你好",
        "WEBVTT - 标题\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nNOTE 说明\n不是字幕\n\n开头\n00:01.000 --> 00:02.500 align:start line:0\n<c.yellow>你好</c>",
        "7\n0:00:01.000 --> 0:00:02.500\n{\\an8}<i>你好</i>\n\n\n\n",
        "1\n00:00:00,500 --> 00:00:00,900\n\n2\n00:00:01,000 --> 00:00:02,500\n&lrm;你好",
    ]) func readsWhatEditorsWrite(text: String) throws {
        #expect(
            try SubtitleForm.cues(in: text) == [SubtitleCue(startMilliseconds: 1_000, endMilliseconds: 2_500, lines: ["你好"])])
    }

    @Test(arguments: [
        ("", 1, SubtitleForm.Fault.Reason.nothing), ("WEBVTT\n\n", 1, .nothing), ("只是文字", 1, .noTimes),
        ("1\n00:00:01,000 -> 00:00:02,000\n你好", 1, .noTimes), ("1\n00:61:01,000 --> 00:62:02,000\n你好", 1, .noTimes),
        ("1\n00:00:01,0000 --> 00:00:02,000\n你好", 1, .noTimes), ("1\n-1:00:01,000 --> 00:00:02,000\n你好", 1, .noTimes),
        ("1\n00:00:02,000 --> 00:00:02,000\n你好", 2, .endsBeforeItBegins),
        ("00:05.000 --> 00:06.000\n甲\n\n00:04.000 --> 00:07.000\n乙", 4, .beginsBeforeTheOneBefore),
    ]) func refusesWhatIsNone(text: String, line: Int, reason: SubtitleForm.Fault.Reason) {
        #expect(throws: SubtitleForm.Fault(line: line, reason: reason)) { try SubtitleForm.cues(in: text) }
    }

    @Test func refusesMoreThanAnyVideoHas() {
        let text = String(repeating: "00:01.000 --> 00:02.000\n字\n\n", count: SubtitleForm.mostCues + 1)
        #expect(throws: SubtitleForm.Fault(line: 3 * SubtitleForm.mostCues + 1, reason: .tooMany)) {
            try SubtitleForm.cues(in: text)
        }
    }

    /// Each of these characters begins a tag that never ends.
    @Test(.timeLimit(.minutes(1)), arguments: ["<", "{\\"]) func aLineOfTagsWithoutAnEndIsReadOnce(beginning: String) throws {
        let line = String(repeating: beginning, count: 200_000)
        #expect(try SubtitleForm.cues(in: "00:01.000 --> 00:02.000\n" + line).first?.lines == [line])
    }

    // MARK: What was heard

    @Test func longSpeechIsCutWhereItMayBe() {
        let transcript = Transcript(
            language: "zh",
            segments: [.init(startMilliseconds: 1_000, endMilliseconds: 7_000, text: "油皮选清爽的。干皮选滋润的，敏感肌先在耳后试一试。")])
        // 14 columns of the sentences' 50.
        #expect(
            transcript.cues(durationMilliseconds: 10_000) == [
                SubtitleCue(startMilliseconds: 1_000, endMilliseconds: 2_680, lines: ["油皮选清爽的。"]),
                SubtitleCue(startMilliseconds: 2_680, endMilliseconds: 7_000, lines: ["干皮选滋润的，", "敏感肌先在耳后试一试。"]),
            ])
    }

    @Test func whatServicesGetWrongIsPutRight() {
        let transcript = Transcript(
            language: nil,
            segments: [
                .init(startMilliseconds: 4_000, endMilliseconds: 9_000, text: "超出结尾"),
                .init(startMilliseconds: 0, endMilliseconds: 2_000, text: "第一句"),
                .init(startMilliseconds: 1_500, endMilliseconds: 3_000, text: "重叠"),
                .init(startMilliseconds: 3_000, endMilliseconds: 3_500, text: "  "),
                .init(startMilliseconds: 6_000, endMilliseconds: 7_000, text: "结尾之后"),
            ])
        #expect(
            transcript.cues(durationMilliseconds: 5_000) == [
                SubtitleCue(startMilliseconds: 0, endMilliseconds: 2_000, lines: ["第一句"]),
                SubtitleCue(startMilliseconds: 2_000, endMilliseconds: 3_000, lines: ["重叠"]),
                SubtitleCue(startMilliseconds: 4_000, endMilliseconds: 5_000, lines: ["超出结尾"]),
            ])
    }
}
