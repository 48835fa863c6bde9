import DTO
import FoundationEssentials
import HTTPCore

/// The input rules of bodies, by kind. Lengths are in grapheme clusters (and 8 times as many code points, design §9).
enum ContentBodyInput {
    static let topicLength = 1...500
    /// No platform shows more than 100; an editor may try a few longer ones.
    static let titleLength = 1...200
    static let maxCandidates = 50
    static let reasonLength = 1...200
    static let maxReasons = 30
    /// The longest that a platform takes is an article's 20,000.
    static let textLength = 1...20_000
    static let maxHashtags = 30
    static let hashtagLength = 1...50
    static let callToActionLength = 1...200
    static let slotCount = 1...9
    static let captionLength = 0...200
    static let altLength = 0...300
    static let promptLength = 1...2_000
    static let maxScenes = 300
    static let sceneSeconds = 1...900
    static let totalSeconds = 1...3_600
    static let hookLength = 1...500

    /// - Returns: `nil` only where an issue was recorded.
    static func body(of kind: ContentKind, in fields: inout FieldReader) -> ContentBody? {
        switch kind {
        case .titleSet: fields.object("body", titleSet).flatMap { $0 }.map(ContentBody.titleSet)
        case .copy: fields.object("body", copy).flatMap { $0 }.map(ContentBody.copy)
        case .imageText: fields.object("body", imageText).flatMap { $0 }.map(ContentBody.imageText)
        case .videoScript: fields.object("body", videoScript).flatMap { $0 }.map(ContentBody.videoScript)
        }
    }

    private static func titleSet(_ body: inout FieldReader) -> TitleSetBody? {
        let topic = body.text("topic", length: topicLength)
        let platform = body.choice("platform", of: ContentPlatform.self)
        let candidates = body.objectList("candidates", minItems: 1, maxItems: maxCandidates) { candidate in
            TitleSetCandidate(
                title: candidate.text("title", length: titleLength),
                score: candidate.optionalInteger("score", in: 0...100),
                reasons: candidate.textList("reasons", maxItems: maxReasons, length: reasonLength),
                formula: candidate.text("formula", length: ContentsInput.nameLength))
        }
        let selected = body.optionalInteger("selected", in: 0...max(0, candidates.count - 1))
        return platform.map { TitleSetBody(topic: topic, platform: $0, candidates: candidates, selected: selected) }
    }

    private static func copy(_ body: inout FieldReader) -> CopyBody? {
        let topic = body.text("topic", length: topicLength)
        let platform = body.choice("platform", of: ContentPlatform.self)
        let title = body.optionalText("title", length: titleLength)
        let text = body.text("text", length: textLength)
        let hashtags = hashtags(in: &body)
        let callToAction = body.optionalText("callToAction", length: callToActionLength)
        return platform.map {
            CopyBody(topic: topic, platform: $0, title: title, text: text, hashtags: hashtags, callToAction: callToAction)
        }
    }

    private static func imageText(_ body: inout FieldReader) -> ImageTextBody? {
        let topic = body.text("topic", length: topicLength)
        let platform = body.choice("platform", of: ContentPlatform.self)
        let title = body.text("title", length: titleLength)
        let text = body.text("text", length: textLength)
        let hashtags = hashtags(in: &body)
        let callToAction = body.optionalText("callToAction", length: callToActionLength)
        let slots = slots(in: &body)
        return platform.map {
            ImageTextBody(
                topic: topic, platform: $0, title: title, text: text, hashtags: hashtags, callToAction: callToAction, slots: slots
            )
        }
    }

    private static func videoScript(_ body: inout FieldReader) -> VideoScriptBody? {
        let topic = body.text("topic", length: topicLength)
        let platform = body.choice("platform", of: ContentPlatform.self)
        let type = body.choice("scriptType", of: VideoScriptType.self)
        let durationSeconds = body.integer("durationSeconds", in: totalSeconds)
        let hook = body.text("hook", length: hookLength)
        var start = 0
        var index = 0
        let scenes = body.objectList("scenes", minItems: 1, maxItems: maxScenes) { scene in
            index += 1
            let place = scene.integer("index", in: 1...maxScenes)
            if scene.issues.isEmpty, place != index {
                scene.refuse("index", code: "out_of_order", zh: "应为 \(index)", en: "must be \(index)")
            }
            let second = scene.integer("startSecond", in: 0...totalSeconds.upperBound)
            if scene.issues.isEmpty, second != start {
                scene.refuse("startSecond", code: "gap", zh: "应接着上一镜，为 \(start)", en: "must follow the scene before, at \(start)")
            }
            let edit = sceneEdit(&scene)
            start += edit.durationSeconds
            return VideoScene(
                index: place, startSecond: second, durationSeconds: edit.durationSeconds, shot: edit.shot, camera: edit.camera,
                visual: edit.visual, line: edit.line, subtitle: edit.subtitle, bgm: edit.bgm, props: edit.props)
        }
        let cta = body.text("cta", length: hookLength)
        let hashtags = hashtags(in: &body)
        let total = body.integer("totalSeconds", in: totalSeconds)
        if body.issues.isEmpty, total != start {
            body.refuse("totalSeconds", code: "wrong_sum", zh: "应为各镜时长之和 \(start)", en: "must be the scenes' sum, \(start)")
        }
        guard let platform, let type else { return nil }
        return VideoScriptBody(
            topic: topic, platform: platform, scriptType: type, durationSeconds: durationSeconds, hook: hook, scenes: scenes,
            cta: cta, hashtags: hashtags, totalSeconds: total)
    }

    // MARK: Parts, as saved and as edited

    static func hashtags(in body: inout FieldReader) -> [String] {
        body.textList("hashtags", maxItems: maxHashtags, length: hashtagLength)
    }

    static func slots(in body: inout FieldReader) -> [ImageSlot] {
        body.objectList("slots", minItems: slotCount.lowerBound, maxItems: slotCount.upperBound) { slot in
            ImageSlot(
                caption: slot.text("caption", length: captionLength), alt: slot.text("alt", length: altLength),
                prompt: slot.text("prompt", length: promptLength), assetId: slot.optionalUUID("assetId"),
                problem: slot.optionalText("problem", length: ContentsInput.nameLength))
        }
    }

    /// All members of a scene but its place.
    static func sceneEdit(_ scene: inout FieldReader) -> SceneEdit {
        SceneEdit(
            durationSeconds: scene.integer("durationSeconds", in: sceneSeconds), shot: scene.text("shot", length: 0...50),
            camera: scene.text("camera", length: 0...100), visual: scene.text("visual", length: 1...1_000),
            line: scene.text("line", length: 0...2_000), subtitle: scene.text("subtitle", length: 0...500),
            bgm: scene.text("bgm", length: 0...200), props: scene.textList("props", maxItems: 30, length: 1...50))
    }
}
