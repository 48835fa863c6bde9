import DTO

/// Writes scripts without a model: the beats of the type, one scene each, with lines that fill their seconds.
enum VideoScriptTemplates {
    /// - Returns: `nil` where banned words leave no hook, no end, no picture or too little to say.
    static func script(for brief: WritingBrief, _ order: VideoScriptOrder, seed: UInt64) -> VideoScript? {
        let type = order.scriptType
        let count = SceneTiming.usualCount(type, seconds: order.durationSeconds)
        let seconds = SceneTiming.shares(of: order.durationSeconds, count: count)
        var sentences = SentenceTemplates(brief, seed: seed)
        let hashtags = brief.templateHashtags()
        guard hashtags.count >= brief.request.rules.minHashtags,
            let hook = sentences.sentence(BeatBank.hooks, upTo: characters(seconds[0]), namingTopic: true, longest: true)
                ?? sentences.sentence(SentenceBank.shortOpenings + SentenceBank.plainCallsToAction, upTo: characters(seconds[0])),
            let cta = CopyTemplates.callToAction(&sentences, upTo: 100)
        else { return nil }

        let beats = beats(of: type, count: count, wantsPoints: sentences.hasUnsaidPoints)
        var scenes: [VideoScene] = []
        for (index, beat) in beats.enumerated() {
            let room = characters(seconds[index])
            let line =
                switch index {
                case 0: hook
                case count - 1: ending(cta, &sentences, upTo: room)
                default: lines(of: beat, &sentences, upTo: room)
                }
            guard let visual = sentences.choice(filled(beat.visuals, brief)) ?? sentences.choice(["空镜", "画面 \(index + 1)"]) else {
                return nil
            }
            scenes.append(
                VideoScene(
                    index: 0, startSecond: 0, durationSeconds: seconds[index], shot: sentences.choice(beat.shots) ?? "",
                    camera: sentences.choice(BeatBank.cameras) ?? "", visual: visual, line: line,
                    subtitle: subtitle(of: line, brief), bgm: sentences.choice(BeatBank.music[type] ?? []) ?? "",
                    props: beat.props.filter(brief.suits)))
        }
        let laid = SceneTiming.laidOut(scenes)
        // Where banned words leave hardly anything to say, a silent film is no script.
        let spoken = scenes.reduce(0) { $0 + SceneTiming.spoken($1.line) }
        guard spoken >= laid.totalSeconds * SceneTiming.fewestCharactersPerSecond else { return nil }
        return VideoScript(hook: hook, scenes: laid.scenes, cta: cta, hashtags: hashtags, totalSeconds: laid.totalSeconds)
    }

    /// What can be said, marks counted as well: a pause takes time.
    private static func characters(_ seconds: Int) -> Int { seconds * SceneTiming.mostCharactersPerSecond }

    /// The type's beats spread over the scenes, in their order.
    ///
    /// - Parameter wantsPoints: the brief names selling points; where there are too few scenes for a beat that speaks of one, the last of
    ///   them makes room.
    private static func beats(of type: VideoScriptType, count: Int, wantsPoints: Bool) -> [Beat] {
        let plan = BeatBank.plans[type] ?? []
        var middle = (0..<max(0, count - 2)).compactMap { index in
            plan.isEmpty ? nil : BeatBank.beats[plan[index * plan.count / max(count - 2, 1)]]
        }
        if wantsPoints, !middle.isEmpty, !middle.contains(where: \.speaksOfPoints),
            let beat = plan.lazy.compactMap({ BeatBank.beats[$0] }).first(where: \.speaksOfPoints)
        {
            middle[middle.count - 1] = beat
        }
        return [BeatBank.hook] + middle + [BeatBank.end]
    }

    /// Sentences of the beat until nothing more fits, or four characters a second are said. A long script says things again: those that it
    /// said longest ago.
    private static func lines(of beat: Beat, _ sentences: inout SentenceTemplates, upTo room: Int) -> String {
        var line = ""
        let enough = room * 4 / SceneTiming.mostCharactersPerSecond
        for isAgain in [false, true] where line.count < enough {
            if isAgain { sentences.forgetOldest() }
            for bank in [SentenceBank.points, beat.lines, SentenceBank.tips, SentenceBank.remarks, SentenceBank.problems] {
                if bank == SentenceBank.points, !beat.speaksOfPoints { continue }
                while line.count < enough,
                    let next = sentences.sentence(bank, upTo: room - line.count, longest: !line.isEmpty),
                    sentences.brief.suits(line + next)
                {
                    if line.contains(next) { continue }
                    line += next
                    // One selling point a scene.
                    if bank == SentenceBank.points { break }
                }
            }
        }
        return line
    }

    private static func ending(_ cta: String, _ sentences: inout SentenceTemplates, upTo room: Int) -> String {
        guard cta.count <= room else { return sentences.sentence(SentenceBank.plainCallsToAction, upTo: room) ?? "" }
        guard let summary = sentences.sentence(SentenceBank.summaries, upTo: room - cta.count),
            sentences.brief.suits(summary + cta)
        else { return cta }
        return summary + cta
    }

    private static func filled(_ wordings: [String], _ brief: WritingBrief) -> [String] {
        wordings.compactMap { wording in
            let key = brief.keyWord.sayings.first { $0.count <= ($0.contains(where: \.isHan) ? 20 : 40) && brief.suits($0) }
            return TitleWording(wording).filled { $0 == .key ? key : nil }
        }
    }

    /// The line's first clause that can be read at a glance.
    private static func subtitle(of line: String, _ brief: WritingBrief) -> String {
        let clauses = line.split { "，。！？：；".contains($0) }.map(String.init)
        return clauses.first { (2...18).contains($0.count) && brief.suits($0) } ?? ""
    }
}
