import HTTPCore

/// Why an asset's cues are not shown.
enum SubtitleEditingError: Error, Equatable {
    case notSubtitles(found: String)
    /// So many bytes.
    case tooLarge(Int)
    /// `nil`: it is no text.
    case unreadable(SubtitleForm.Fault?)
}

extension SubtitleEditingError: HTTPFailure {
    var problem: ProblemDescription {
        switch self {
        case .notSubtitles(let found):
            ProblemDescription(
                status: .conflict, code: "asset.not_subtitles",
                title: LocalizedText(zh: "该素材不是字幕文件", en: "The asset is no subtitle file"),
                detail: LocalizedText(
                    zh: "它是 \(found)，字幕文件是 SubRip 或 WebVTT。", en: "It is \(found); subtitle files are SubRip or WebVTT."))
        case .tooLarge(let size):
            unreadable(
                "too_large",
                LocalizedText(
                    zh: "\(size) 字节，最多 \(SubtitleForm.largestFile) 字节",
                    en: "it has \(size) bytes, of at most \(SubtitleForm.largestFile)"))
        case .unreadable(nil): unreadable("wrong_type", LocalizedText(zh: "不是 UTF-8 文本", en: "it is no UTF-8 text"))
        case .unreadable(let fault?):
            unreadable(
                fault.reason.rawValue,
                LocalizedText(
                    zh: "第 \(fault.line) 行：\(fault.reason.message.zh)", en: "line \(fault.line): \(fault.reason.message.en)"))
        }
    }

    /// 422: the file itself has to be mended.
    private func unreadable(_ code: String, _ message: LocalizedText) -> ProblemDescription {
        ProblemDescription(
            status: .unprocessableContent, code: "asset.subtitles_unreadable",
            title: LocalizedText(zh: "字幕文件无法解析", en: "The subtitle file cannot be read"), detail: message,
            issues: [FieldIssue(pointer: "", code: code, message: message)])
    }
}

extension SubtitleForm.Fault.Reason {
    fileprivate var message: LocalizedText {
        switch self {
        case .noTimes: LocalizedText(zh: "缺少时间行", en: "a cue without its times")
        case .endsBeforeItBegins: LocalizedText(zh: "结束不晚于开始", en: "a cue that ends before it begins")
        case .beginsBeforeTheOneBefore: LocalizedText(zh: "开始早于上一条", en: "a cue that begins before the one before")
        case .tooMany:
            LocalizedText(zh: "超过 \(SubtitleForm.mostCues) 条", en: "more than \(SubtitleForm.mostCues) cues")
        case .nothing: LocalizedText(zh: "没有字幕", en: "there is no cue")
        }
    }
}
