import DTO

/// Writes titles without a model, from the patterns of ``TitlePatternLibrary``. Pure: the same brief and seed give the same
/// titles.
///
/// What it keeps, whatever the brief: no title over the limit, no empty slot, no pattern twice, no banned word, nothing that
/// advertising law forbids. A topic that does not fit is represented by a shorter form of its key word that is still a word; if
/// there is none, by a sentence without it.
struct TitleTemplates: Sendable {
    /// `promptVersion` of an answer written by templates.
    static let promptVersion = "title.template@\(TitlePatternLibrary.version)"
    static let provider = "template"
    static let modelName = "title-patterns-v\(TitlePatternLibrary.version)"

    struct Title: Sendable, Equatable {
        let text: String
        let formula: TitleFormula
        let patternId: String
    }

    private struct Proposal {
        let title: Title
        /// Higher is chosen earlier within its formula.
        let rank: Int
    }

    /// - Parameter headsTemplate: the text below comes from templates as well; see ``TitlePromise``.
    /// - Returns: `brief.count` titles of different patterns, of varied formulas; fewer only when the limit or the banned words leave
    ///   no more.
    static func titles(for brief: TitleBrief, seed: UInt64, headsTemplate: Bool = false) -> [Title] {
        var random = SeededGenerator(seed: seed)
        let slots = SlotFillings(
            keyWord: brief.keyWord, audience: brief.audience, points: brief.sellingPoints, keywords: brief.keywords,
            longest: brief.maxLength
        ) { brief.objection(to: $0) == nil }
        var byFormula: [TitleFormula: [Proposal]] = [:]
        for pattern in TitlePatternLibrary.all {
            guard
                let proposal = proposal(pattern, brief: brief, slots: slots, headsTemplate: headsTemplate, using: &random)
            else { continue }
            byFormula[pattern.formula, default: []].append(proposal)
        }
        for formula in byFormula.keys {
            byFormula[formula]?.sort { ($1.rank, $0.title.patternId) < ($0.rank, $1.title.patternId) }
        }
        // One of each formula, then a second of each …, so that an answer is varied; formulas in an order that the seed
        // decides, those that can speak of the topic before those that cannot.
        var order = TitleFormula.allCases
        order.shuffle(using: &random)
        var chosen: [Title] = []
        var seen: Set<String> = []
        while chosen.count < brief.count, byFormula.values.contains(where: { !$0.isEmpty }) {
            let bestRank = byFormula.values.compactMap(\.first?.rank).max() ?? 0
            for formula in order where chosen.count < brief.count {
                // A formula that has only second-class sentences left waits until nobody has better ones.
                guard let next = byFormula[formula]?.first, next.rank >= bestRank - Rank.tolerance else { continue }
                byFormula[formula]?.removeFirst()
                if seen.insert(next.title.text).inserted { chosen.append(next.title) }
            }
        }
        return chosen
    }

    private enum Rank {
        static let keepsTopic = 1000
        /// A head alone says less than the whole phrase.
        static let perShorterForm = 150
        static let lengthFit = 2
        static let perHook = 40
        static let detail = 100
        static let jitter: UInt64 = 120
        /// Differences that may be overruled for the sake of variety.
        static let tolerance = 300
    }

    /// How many hooks a pattern's own words carry; the same for every brief.
    private static let hooks = Dictionary(
        TitlePatternLibrary.all.map { ($0.id, TitleHooks.formulas(of: TitleOutline(of: $0.text)).count) },
        uniquingKeysWith: { first, _ in first })

    private static func proposal(
        _ pattern: TitlePattern, brief: TitleBrief, slots: SlotFillings, headsTemplate: Bool,
        using random: inout SeededGenerator
    ) -> Proposal? {
        // Drawn before anything can fail, so that one brief's words do not shift another pattern's dice.
        let jitter = Int(random.next() % Rank.jitter)
        let numbers = [3, 5, 7].shuffled(using: &random)
        let dice = random.next()
        if let kind = pattern.kind, kind != brief.keyWord.kind { return nil }
        for wording in pattern.wordings(on: brief.platform) where !headsTemplate || !TitlePromise.stands(in: wording) {
            let slotted = TitleWording(wording)
            guard let sentence = sentence(slotted, brief: brief, slots: slots, numbers: numbers, dice: dice) else {
                continue
            }
            let additions = PlatformVoice.additions(on: brief.platform, formula: pattern.formula)
                .filter { !headsTemplate || !TitlePromise.stands(in: $0) }
            // Every third sentence speaks in the platform's voice where there is room for it.
            var text = sentence
            if !additions.isEmpty, dice % 3 == 0, !sentence.contains("【"), !sentence.contains("｜") {
                let addition = additions[Int((dice >> 8) % UInt64(additions.count))]
                let spoken = TitleVoice.apply(addition, to: sentence)
                if spoken.count <= brief.maxLength, brief.objection(to: spoken) == nil { text = spoken }
            }
            var rank = jitter + TitleScore.lengthFit(text.count, limit: brief.maxLength) * Rank.lengthFit
            rank += min(3, hooks[pattern.id] ?? 0) * Rank.perHook
            if [TitleWording.Slot.audience, .point, .keyword].contains(where: slotted.uses) { rank += Rank.detail }
            if let form = brief.keyWord.keptForm(in: text) { rank += Rank.keepsTopic - min(form, 4) * Rank.perShorterForm }
            return Proposal(title: Title(text: text, formula: pattern.formula, patternId: pattern.id), rank: rank)
        }
        return nil
    }

    private static func sentence(
        _ wording: TitleWording, brief: TitleBrief, slots: SlotFillings, numbers: [Int], dice: UInt64
    ) -> String? {
        let keys = wording.uses(.key) ? slots.keys : [""]
        let candidateNumbers = wording.uses(.number) ? numbers.map(String.init) : [""]
        let audiences = wording.uses(.audience) ? slots.audiences : [""]
        let points = wording.uses(.point) ? SlotFillings.rotated(slots.points, by: dice) : [""]
        let keywords = wording.uses(.keyword) ? SlotFillings.rotated(slots.keywords, by: dice) : [""]
        for key in keys {
            for audience in audiences {
                for point in points {
                    for keyword in keywords {
                        // A sentence that names the same thing twice reads like a machine's.
                        if !key.isEmpty,
                            [point, keyword, audience].contains(where: { !$0.isEmpty && ($0.contains(key) || key.contains($0)) })
                        {
                            continue
                        }
                        for number in candidateNumbers {
                            let text = wording.filled { slot in
                                switch slot {
                                case .key: key
                                case .number: number
                                case .audience: audience
                                case .point: point
                                case .keyword: keyword
                                }
                            }
                            if let text, text.count <= brief.maxLength, brief.objection(to: text) == nil { return text }
                        }
                    }
                }
            }
        }
        return nil
    }
}

/// Puts a finished sentence into a platform's addition.
enum TitleVoice {
    static func apply(_ addition: String, to sentence: String) -> String {
        guard let open = addition.firstIndex(of: "{"), let close = addition.firstIndex(of: "}") else { return sentence }
        return addition[..<open] + sentence + addition[addition.index(after: close)...]
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, and the same everywhere.
struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// A seed from text (FNV-1a), so that one brief always gives the same titles.
    static func seed(from texts: [String]) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for text in texts {
            for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            hash = (hash ^ 0xFF) &* 0x100_0000_01B3
        }
        return hash
    }
}
