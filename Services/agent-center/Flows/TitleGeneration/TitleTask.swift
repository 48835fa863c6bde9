import DTO
import HTTPCore

/// Titles as a task for models: the prompt, and the check of what comes back.
struct TitleTask: GenerationTask {
    struct Title: Sendable {
        let outline: TitleOutline
        let formula: TitleFormula

        var text: String { outline.text }
    }

    /// What passed.
    struct Draft: Sendable {
        var titles: [Title]
        /// Forbidden words in titles of the same answer that were left out.
        var blocked: [ComplianceFinding] = []
    }

    let brief: TitleBrief
    let question: ChatRequest
    private let prompt: RenderedPrompt

    /// - Parameter version: of the prompt `title`.
    /// - Throws: ``PromptVariableError`` where the version does not take the brief.
    init(brief: TitleBrief, version: PromptVersion, customer: String?) throws(PromptVariableError) {
        self.brief = brief
        prompt = try version.render(TitlePrompt.values(of: brief))
        question = TitlePrompt.question(prompt, for: brief, customer: customer)
    }

    func question(afterRejected answer: String, because problem: String) -> ChatRequest {
        var again = question
        again.messages = prompt.messages(
            afterRejected: answer, correction: TitlePrompt.correction(for: brief, because: problem))
        return again
    }

    /// Passes when the answers together hold `count` different usable titles. The latest answer alone is preferred.
    func verdict(on answers: [String]) -> GenerationVerdict<Draft> {
        var kept: [Title] = []
        var problems: [String] = []
        var blocked: [ComplianceFinding] = []
        for answer in answers.reversed() {
            let (titles, faults, found) = check(answer)
            if answer == answers.last { (problems, blocked) = (faults, found) }
            // Those of one answer differ already.
            let earlier = kept
            kept += titles.filter { title in !earlier.contains { $0.outline.saysTheSame(as: title.outline) } }
            if kept.count >= brief.count { return .accepted(Draft(titles: Array(kept.prefix(brief.count)), blocked: blocked)) }
        }
        problems.append("合格的标题只有 \(kept.count) 个，需要 \(brief.count) 个")
        return .rejected(problems.prefix(6).joined(separator: "；"))
    }

    /// The forbidden words in an answer that did not pass.
    func blocked(in answer: String) -> [ComplianceFinding] { check(answer).blocked }

    /// The usable titles of one answer, what is wrong with the rest, and which words were forbidden in them.
    private func check(_ answer: String) -> (titles: [Title], faults: [String], blocked: [ComplianceFinding]) {
        guard let json = ModelJSON.parse(answer) else { return ([], ["不是合法的 JSON"], []) }
        guard let items = json["titles"]?.array ?? json.array else { return ([], ["缺少 titles 数组"], []) }
        var titles: [Title] = []
        var faults: [String] = []
        var blocked: [ComplianceFinding] = []
        for (index, item) in items.enumerated() {
            guard let raw = item["title"]?.string ?? item.string else {
                faults.append("titles 的元素缺少 title 字符串")
                continue
            }
            let outline = TitleOutline(of: tidied(raw))
            if let fault = fault(in: outline) {
                faults.append(fault)
                blocked += Compliance.outermost(brief.compliance.blocks(outline.text))
                    .map { ComplianceFinding($0, at: "/candidates/\(index)/title", action: .discarded) }
                continue
            }
            if titles.contains(where: { $0.outline.saysTheSame(as: outline) }) {
                faults.append("标题“\(outline.text.prefix(40))”与前面的重复")
            } else {
                let named = item["formula"]?.string.flatMap(TitleFormula.init(rawValue:))
                let formula = named ?? TitleHooks.formulas(of: outline).first ?? .keyword
                titles.append(Title(outline: outline, formula: formula))
            }
        }
        return (titles, faults, blocked)
    }

    private func fault(in outline: TitleOutline) -> String? {
        let text = outline.text
        if text.isEmpty { return "有空标题" }
        if text.unicodeScalars.contains(where: \.isControlOrLineBreak) { return "标题含换行或控制字符" }
        if outline.length > brief.maxLength || text.unicodeScalars.count > 8 * brief.maxLength {
            return "标题“\(text.prefix(40))”有 \(outline.length) 个字符，超过上限 \(brief.maxLength)"
        }
        return brief.objection(to: outline).map { "标题“\(text.prefix(40))”\($0)" }
    }

    private static let quotes: [(open: Character, close: Character)] = [("“", "”"), ("\"", "\""), ("《", "》"), ("「", "」")]

    /// Takes away what models put around titles (white space, numbering, quotes), and spells brands as their owner does.
    private func tidied(_ raw: String) -> String {
        BrandSpelling.corrected(Self.isTidy(raw) ? raw : Self.withoutWrapping(raw), brands: brief.brandWords)
    }

    /// Whether the text begins and ends with what is neither a blank nor, at the beginning, a digit or a quotation mark: the usual case,
    /// seen by two code points.
    private static func isTidy(_ raw: String) -> Bool {
        guard let first = raw.unicodeScalars.first, let last = raw.unicodeScalars.last else { return true }
        return first.standsAlone && last.standsAlone && !first.isDigit && !quotes.contains { $0.open.leading == first }
            && !first.isBlank && !last.isBlank
    }

    private static func withoutWrapping(_ raw: String) -> String {
        var text = raw[...]
        func trim() {
            while text.first?.isWhitespace == true { text.removeFirst() }
            while text.last?.isWhitespace == true { text.removeLast() }
        }
        trim()
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let behind = text[digits.endIndex...]
        // `1. ` and `1、` are numbering; `3.5 倍` is not.
        if !digits.isEmpty, digits.count <= 2, let mark = behind.first, "、)）".contains(mark) || behind.hasPrefix(". ") {
            text = behind.dropFirst()
            trim()
        }
        for (open, close) in quotes where text.first == open && text.last == close {
            let inner = text.dropFirst().dropLast()
            if !inner.contains(open), !inner.contains(close) { text = inner }
        }
        trim()
        return String(text)
    }
}

extension Unicode.Scalar {
    /// The control characters of C0 and C1, the line separator and the paragraph separator.
    fileprivate var isControlOrLineBreak: Bool {
        switch value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029: true
        default: false
        }
    }
}
