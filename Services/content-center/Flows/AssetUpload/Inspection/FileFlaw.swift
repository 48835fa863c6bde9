import HTTPCore

/// Why a file is not taken.
enum FileFlaw: Error, Equatable {
    /// It is something else than was declared.
    case otherType(found: String?)
    /// It is two things at once: what one program shows, another would run.
    case polyglot(also: String)
    /// It could run something where it is shown.
    case script
    /// It is not whole, or not as its type must be.
    case damaged
    /// Unpacked it would be out of all proportion.
    case archiveBomb
    /// Unpacking it would write elsewhere, or it holds what may not be in it.
    case archiveUnsafe
    /// It is packed in a way of which we cannot say what it becomes.
    case archiveMethod

    /// A virus scanner found this.
    case infected(String)
    /// The virus scanner takes no files so large.
    case unscannable

    var code: String {
        switch self {
        case .otherType: "wrong_type"
        case .polyglot: "polyglot"
        case .script: "script"
        case .damaged: "damaged"
        case .archiveBomb: "archive_bomb"
        case .archiveUnsafe: "archive_unsafe"
        case .archiveMethod: "archive_method"
        case .infected: "infected"
        case .unscannable: "unscannable"
        }
    }

    func message(declared: FileType) -> LocalizedText {
        switch self {
        case .otherType(let found?):
            LocalizedText(zh: "内容是 \(found)，不是 \(declared.rawValue)", en: "the content is \(found), not \(declared.rawValue)")
        case .otherType(nil) where declared == .text || declared == .csv:
            LocalizedText(
                zh: "\(declared.rawValue) 应为 UTF-8 编码的文本（用 Excel 时请另存为“CSV UTF-8”）",
                en: "a \(declared.rawValue) is text in UTF-8 (Excel saves it as “CSV UTF-8”)")
        case .otherType(nil):
            LocalizedText(zh: "内容不是 \(declared.rawValue)", en: "the content is not \(declared.rawValue)")
        case .polyglot(let also):
            LocalizedText(zh: "文件同时也是 \(also)", en: "the file is \(also) as well")
        case .script: LocalizedText(zh: "文件含有脚本或外部引用", en: "the file holds scripts or outside references")
        case .damaged: LocalizedText(zh: "文件不完整或已损坏", en: "the file is incomplete or damaged")
        case .archiveBomb: LocalizedText(zh: "压缩包展开后过大", en: "the archive is far too large when unpacked")
        case .archiveUnsafe:
            LocalizedText(zh: "压缩包含有不安全的路径或内容", en: "the archive holds unsafe paths or content")
        case .archiveMethod:
            LocalizedText(zh: "压缩包的压缩方式不受支持，请用标准 ZIP（Deflate）", en: "the archive is packed by another method than deflate")
        case .infected(let name): LocalizedText(zh: "查出病毒：\(name)", en: "a virus was found: \(name)")
        case .unscannable:
            LocalizedText(zh: "文件过大，无法查毒", en: "the file is too large to be scanned for viruses")
        }
    }
}
