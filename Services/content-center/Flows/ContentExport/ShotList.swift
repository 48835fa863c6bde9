import DTO

/// A script's shots as a table for spreadsheets (RFC 4180, UTF-8 with a byte order mark, without which Excel reads Chinese as noise).
enum ShotList {
    private static let heads = ["镜号", "开始（秒）", "时长（秒）", "景别", "运镜", "画面", "台词", "字幕", "音乐", "道具"]

    static func csv(_ script: VideoScriptBody) -> String {
        let rows = script.scenes.map { scene in
            ["\(scene.index)", "\(scene.startSecond)", "\(scene.durationSeconds)"]
                + [
                    scene.shot, scene.camera, scene.visual, scene.line, scene.subtitle, scene.bgm,
                    scene.props.joined(separator: "、"),
                ].map(cell)
        }
        return "\u{FEFF}" + ([heads] + rows).map { $0.joined(separator: ",") + "\r\n" }.joined()
    }

    /// A text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, CSV injection): the text comes from a model
    /// or a customer. East Asian editions take full-width signs too, and blanks before the sign do not help.
    static func cell(_ text: String) -> String {
        let beginning = text.first { !$0.isWhitespace }
        let beginsWithBreak = text.first == "\t" || text.first?.isNewline == true
        let isFormula = beginsWithBreak || beginning.map(formulaSigns.contains) == true
        let safe = (isFormula ? "'" : "") + text
        guard safe.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return safe }
        return "\"" + safe.replacing("\"", with: "\"\"") + "\""
    }

    private static let formulaSigns: Set<Character> = ["=", "+", "-", "@", "＝", "＋", "－", "＠"]
}
