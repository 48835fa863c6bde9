import DTO
import HTTPCore

/// The input rules of `POST /v1/video-scripts`.
enum VideoScriptGenerationInput {
    static let durations = 10...900

    /// - Throws: `ValidationFailure` with every refusal.
    static func read(_ json: JSONValue, knows isKnown: (String) -> Bool) throws -> VideoScriptOrder {
        var fields = FieldReader(json)
        let order = VideoScriptOrder(
            request: WritingInput.request(&fields, knows: isKnown),
            scriptType: fields.choice("scriptType", of: VideoScriptType.self) ?? .product,
            durationSeconds: fields.integer("durationSeconds", in: durations), revision: WritingInput.revision(&fields, previous))
        try fields.finish()
        return order
    }

    private static func previous(_ fields: inout FieldReader) -> VideoScript {
        VideoScript(
            hook: fields.text("hook", length: 1...500), scenes: fields.objectList("scenes", minItems: 1, maxItems: 300, scene),
            cta: fields.text("cta", length: 1...500), hashtags: WritingInput.hashtags(&fields),
            totalSeconds: fields.integer("totalSeconds", in: 1...3_600))
    }

    private static func scene(_ fields: inout FieldReader) -> VideoScene {
        VideoScene(
            index: fields.integer("index", in: 1...300), startSecond: fields.integer("startSecond", in: 0...3_600),
            durationSeconds: fields.integer("durationSeconds", in: 1...900), shot: fields.text("shot", length: 0...50),
            camera: fields.text("camera", length: 0...100), visual: fields.text("visual", length: 1...1_000),
            line: fields.text("line", length: 0...2_000), subtitle: fields.text("subtitle", length: 0...500),
            bgm: fields.text("bgm", length: 0...200), props: fields.textList("props", maxItems: 30, length: 1...50))
    }
}
