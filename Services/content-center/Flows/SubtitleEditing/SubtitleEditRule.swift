import HTTPCore
import Observability

/// What a subtitle file may say, and what an edited one is called: values in, values out.
enum SubtitleEditRule {
    /// SubRip has two digits for hours.
    static let times = 0...359_999_999
    static let cueCount = 1...SubtitleForm.mostCues
    /// Two are usual; more are what karaoke and bilingual files have.
    static let lineCount = 1...8
    static let lineLength = 1...500
    /// Of an edit that is wrong all over nobody reads more.
    static let mostIssues = 100

    /// The file's bytes.
    ///
    /// - Throws: ``ValidationFailure`` for lines that nobody would read again as they are here, and for what is too large together.
    static func file(of cues: [SubtitleCue], as form: SubtitleForm) throws -> [UInt8] {
        let lost = issues(in: cues, as: form)
        if !lost.isEmpty { throw ValidationFailure(lost) }
        let bytes = Array(form.text(of: cues).utf8)
        guard bytes.count <= SubtitleForm.largestFile else {
            throw ValidationFailure(
                pointer: "/cues", code: "too_large", zh: "合计 \(bytes.count) 字节，最多 \(SubtitleForm.largestFile) 字节",
                en: "are \(bytes.count) bytes together, of at most \(SubtitleForm.largestFile)")
        }
        return bytes
    }

    /// What looks like a tag or an entity is one to players, so it would not be shown.
    private static func issues(in cues: [SubtitleCue], as form: SubtitleForm) -> [FieldIssue] {
        var issues: [FieldIssue] = []
        for (number, cue) in cues.enumerated() {
            for (index, line) in cue.lines.enumerated() where !form.keeps(line) {
                issues.append(
                    FieldIssue(
                        pointer: "/cues/\(number)/lines/\(index)", code: "markup",
                        message: LocalizedText(
                            zh: "含有 \(form.rawValue) 的标记，显示时会丢失",
                            en: "holds what \(form.rawValue) takes for markup and does not show")))
                if issues.count == mostIssues { return issues }
            }
        }
        return issues
    }

    /// What is wrong with a line by itself, in whichever form.
    static func flaw(in line: String) -> (code: String, message: LocalizedText)? {
        let breaks = line.unicodeScalars.contains { scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: true
            default: false
            }
        }
        if breaks {
            return (
                "control_character", LocalizedText(zh: "不能包含换行或控制字符", en: "must not contain line breaks or control characters")
            )
        }
        // By the bytes: what other programs see in it, whatever mark is put on the last of them.
        if line.utf8.firstRange(of: "-->".utf8) != nil {
            return ("arrow", LocalizedText(zh: "不能包含 -->", en: "must not contain -->"))
        }
        return nil
    }

    /// The source's name with a word that tells them apart, once, and the form's ending.
    static func filename(editing name: String, as form: SubtitleForm) -> String {
        let mark = "-edited"
        var title = name[...]
        if let ending = FileNameRule.ending(of: name), SubtitleForm(rawValue: ending) != nil {
            title = title.dropLast(ending.count + 1)
        }
        if title.hasSuffix(mark) { title = title.dropLast(mark.count) }
        return "\(title.prefix(AssetUploadInput.filenameLength.upperBound - mark.count - 4))\(mark).\(form.rawValue)"
    }
}
