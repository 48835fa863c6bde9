import DTO
import HTTPCore

/// The input rules of edited subtitles.
enum SubtitleEditingInput {
    /// Every file of ``SubtitleForm/largestFile`` as JSON whose texts stand as they are.
    static let largestRequest = 3 << 20

    static func edit(_ json: JSONValue) throws -> SubtitleEdit {
        var fields = FieldReader(json)
        let form = fields.optionalChoice("form", of: AssetCueForm.self)
        let count = SubtitleEditRule.cueCount
        var last: Int?
        let cues = fields.objectList("cues", minItems: count.lowerBound, maxItems: count.upperBound) { cue(&$0, after: &last) }
        do { try fields.finish() } catch let failure as ValidationFailure {
            throw ValidationFailure(Array(failure.issues.prefix(SubtitleEditRule.mostIssues)))
        }
        return SubtitleEdit(form: form.map(SubtitleForm.init), cues: cues)
    }

    /// - Parameter last: when the one before begins, where that is known.
    private static func cue(_ fields: inout FieldReader, after last: inout Int?) -> SubtitleCue {
        let begin = time("startMs", &fields)
        let end = time("endMs", &fields)
        if let begin, let end, end <= begin {
            fields.refuse("endMs", code: "ends_before_it_begins", zh: "应晚于 startMs", en: "must be later than startMs")
        }
        if let begin {
            if let last, begin < last {
                fields.refuse(
                    "startMs", code: "begins_before_the_one_before", zh: "不能早于上一条的 startMs",
                    en: "must not be before that of the cue before")
            }
            last = begin
        }
        return SubtitleCue(startMilliseconds: begin ?? 0, endMilliseconds: end ?? 0, lines: lines(&fields))
    }

    private static func time(_ name: String, _ fields: inout FieldReader) -> Int? {
        let known = fields.issues.count
        let time = fields.integer(name, in: SubtitleEditRule.times)
        return fields.issues.count == known ? time : nil
    }

    /// Blanks at their ends are no part of them: no reader of such files sees them.
    private static func lines(_ fields: inout FieldReader) -> [String] {
        let (known, count) = (fields.issues.count, SubtitleEditRule.lineCount)
        let lines = fields.textList(
            "lines", minItems: count.lowerBound, maxItems: count.upperBound, length: SubtitleEditRule.lineLength)
        // A list with a hole in it would name the wrong line.
        guard fields.issues.count == known else { return [] }
        for (index, line) in lines.enumerated() {
            guard let flaw = SubtitleEditRule.flaw(in: line) else { continue }
            fields.refuse("lines", item: index, code: flaw.code, zh: flaw.message.zh, en: flaw.message.en)
        }
        return lines.map(SubtitleText.trimmed)
    }
}
