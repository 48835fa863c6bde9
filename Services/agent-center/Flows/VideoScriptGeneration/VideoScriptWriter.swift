import DTO
import HTTPCore

/// A script in shots and lines.
struct VideoScriptWriter: TextWriter {
    static let prompt = "video_script"
    static let templateVersion = "video_script.template@2"
    static let templateModel = "video-script-templates-v1"

    let brief: WritingBrief
    let order: VideoScriptOrder

    private var counts: ClosedRange<Int> { SceneTiming.counts(order.scriptType, seconds: order.durationSeconds) }

    var values: [String: JSONValue] {
        brief.values(order.revision).merging([
            "scriptType": .string(order.scriptType.rawValue), "durationSeconds": .number(String(order.durationSeconds)),
            "minScenes": .number(String(counts.lowerBound)), "maxScenes": .number(String(counts.upperBound)),
        ]) { $1 }
    }
    var seeds: [String] {
        [order.scriptType.rawValue, String(order.durationSeconds)] + (order.revision.map { [$0.feedback] } ?? [])
    }

    /// Numbering, starts and the total are computed, whatever the model made of them.
    func read(_ answer: JSONValue) throws(TextFaults) -> VideoScript {
        var reader = AnswerReader(answer)
        let tidy = TextTidying(brief)
        let hook = tidy.line(reader.text("hook"))
        var scenes: [VideoScene] = []
        for (index, item) in reader.objects("scenes").enumerated() {
            var scene = AnswerReader(item)
            let seconds = item["durationSeconds"]?.double.map { $0.rounded() } ?? 0
            if !(1...900).contains(seconds) { scene.add("缺少 1–900 的 durationSeconds") }
            scenes.append(
                VideoScene(
                    index: 0, startSecond: 0, durationSeconds: Int(min(max(seconds, 0), 900)),
                    shot: tidy.line(scene.optionalText("shot") ?? ""), camera: tidy.line(scene.optionalText("camera") ?? ""),
                    visual: tidy.line(scene.text("visual")), line: tidy.line(scene.text("line", mayBeEmpty: true)),
                    subtitle: tidy.line(scene.optionalText("subtitle") ?? ""), bgm: tidy.line(scene.optionalText("bgm") ?? ""),
                    props: scene.texts("props").map(tidy.line).filter { !$0.isEmpty }.removingRepeats()))
            for fault in scene.faults { reader.add("第 \(index + 1) 镜：\(fault)") }
        }
        try reader.finish()
        let laid = SceneTiming.laidOut(scenes)
        return VideoScript(
            hook: hook, scenes: laid.scenes,
            cta: reader.optionalText("cta").map(tidy.line) ?? brief.usableCallToAction ?? "",
            hashtags: tidy.hashtags(reader.texts("hashtags")), totalSeconds: laid.totalSeconds)
    }

    func rules(for script: VideoScript) -> [TextVerdict] {
        let rules = TextRules(brief: brief)
        let texts = [script.hook, script.cta] + script.scenes.flatMap { [$0.visual, $0.line, $0.subtitle] }
        let seen = texts + script.scenes.flatMap { [$0.shot, $0.camera, $0.bgm] + $0.props } + script.hashtags
        return [
            scenes(script), timing(script), pace(script), rules.hashtags(script.hashtags), rules.links(seen), rules.contact(seen),
            rules.keyWord(texts), rules.control(seen), TextRules.length("hook", of: script.hook, 1...100, "开场"),
            TextRules.length("cta", of: script.cta, 1...100, "行动号召"),
        ].compactMap { $0 } + script.scenes.flatMap(lengths)
    }

    private func scenes(_ script: VideoScript) -> TextVerdict {
        TextVerdict(
            "scenes", counts.contains(script.scenes.count),
            "分镜 \(script.scenes.count) 个，要求 \(counts.lowerBound)–\(counts.upperBound) 个")
    }

    /// The whole is as long as asked, and each line can be spoken in its seconds.
    private func timing(_ script: VideoScript) -> TextVerdict {
        let total = SceneTiming.totals(of: order.durationSeconds)
        var faults: [String] = []
        if !total.contains(script.totalSeconds) {
            faults.append("总时长 \(script.totalSeconds) 秒，要求 \(total.lowerBound)–\(total.upperBound) 秒")
        }
        for scene in script.scenes {
            let (spoken, most) = (SceneTiming.spoken(scene.line), scene.durationSeconds * SceneTiming.mostCharactersPerSecond)
            if spoken > most { faults.append("第 \(scene.index) 镜台词 \(spoken) 字，\(scene.durationSeconds) 秒最多 \(most) 字") }
        }
        return TextVerdict(
            "timing", faults.isEmpty,
            faults.isEmpty ? "总时长 \(script.totalSeconds) 秒，台词都说得完" : faults.prefix(6).joined(separator: "；"))
    }

    private func pace(_ script: VideoScript) -> TextVerdict {
        let spoken = script.scenes.reduce(0) { $0 + SceneTiming.spoken($1.line) }
        let fewest = script.totalSeconds * SceneTiming.fewestCharactersPerSecond
        guard spoken >= fewest else {
            return TextVerdict("pace", false, "台词共 \(spoken) 字，\(script.totalSeconds) 秒至少 \(fewest) 字")
        }
        return TextVerdict(
            "pace", spoken >= script.totalSeconds * SceneTiming.fewCharactersPerSecond, binding: false,
            "台词共 \(spoken) 字，\(script.totalSeconds) 秒约可说 \(script.totalSeconds * 4)–\(script.totalSeconds * 5) 字")
    }

    /// What a content can hold.
    private func lengths(_ scene: VideoScene) -> [TextVerdict] {
        let name = "第 \(scene.index) 镜的"
        return [
            TextRules.length("scenes", of: scene.shot, 0...50, name + "景别"),
            TextRules.length("scenes", of: scene.camera, 0...100, name + "运镜"),
            TextRules.length("scenes", of: scene.visual, 1...1_000, name + "画面"),
            TextRules.length("scenes", of: scene.subtitle, 0...200, name + "字幕"),
            TextRules.length("scenes", of: scene.bgm, 0...200, name + "配乐"),
            scene.props.count > 30 || scene.props.contains { $0.count > 50 }
                ? TextVerdict("scenes", false, name + "道具超过 30 件或 50 字") : nil,
        ].compactMap { $0 }
    }

    func template(seed: UInt64) -> VideoScript? { VideoScriptTemplates.script(for: brief, order, seed: seed) }
}
