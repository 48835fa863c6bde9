import DTO
import FoundationEssentials

/// A content as a file for people who work outside the platform: scripts for shooting crews and cutters, texts for whoever reads them.
///
/// A file shows the newest version. Which formats there are follows from the kind: every kind reads as Markdown, only a script has a table
/// of shots (CSV) and spoken lines (SRT).
enum ContentExport {
    static func file(of content: Content, as format: ContentExportFormat) throws(ContentsError) -> ExportFile {
        let text: String
        switch (format, content.body) {
        case (.markdown, _): text = MarkdownExport.document(content)
        case (.csv, .videoScript(let script)): text = ShotList.csv(script)
        case (.srt, .videoScript(let script)):
            let cues = ScriptSubtitles.cues(of: script.scenes)
            guard !cues.isEmpty else { throw .nothingSpoken }
            text = SubtitleForm.srt.text(of: cues)
        case (.csv, _), (.srt, _): throw .formatRefused(format, content.kind)
        }
        return ExportFile(
            name: ExportFileName(title: content.title, fallback: content.kind.rawValue, fileExtension: format.fileExtension),
            mediaType: format.mediaType, bytes: Array(text.utf8))
    }
}

enum ContentExportFormat: String, Sendable, CaseIterable {
    case markdown
    case csv
    case srt

    var fileExtension: String {
        switch self {
        case .markdown: "md"
        case .csv: "csv"
        case .srt: "srt"
        }
    }

    /// RFC 7763 for Markdown, RFC 4180 for CSV; SubRip has none that is registered, this is the one in use.
    var mediaType: String {
        switch self {
        case .markdown: "text/markdown; charset=utf-8"
        case .csv: "text/csv; charset=utf-8; header=present"
        case .srt: "application/x-subrip; charset=utf-8"
        }
    }
}

struct ExportFile: Sendable, Equatable {
    var name: ExportFileName
    var mediaType: String
    var bytes: [UInt8]
}
