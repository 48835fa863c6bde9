import DTO
import FoundationEssentials
import HTTPCore

/// The input rules of bodies, by kind, and of all of them together. Lengths are in grapheme clusters (and 8 times as many code points, design §9).
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
    static let descriptionLength = 0...5_000
    static let sceneLength = 1...100
    static let replyLength = 1...2_000
    static let maxVariables = 20
    static let variableLength = 1...30
    static let fallbackLength = 0...200

    /// All texts of a body together, in code points: far more than an hour's script, and what lists can show a hundred of.
    static let totalLength = 200_000
    /// In bytes: whatever the rules allow, however it is written. A code point takes twelve bytes where it is escaped as two halves; names,
    /// brackets and the rest of the request have their place behind that.
    static let largestRequest = 3 << 20

    /// - Parameter members: where texts of a body stand in the request.
    static func checkTotal(of json: JSONValue, at members: [String] = ["body"], _ fields: inout FieldReader) {
        let lengths = members.map { (name: $0, length: json[$0].map(length) ?? 0) }
        guard lengths.reduce(0, { $0 + $1.length }) > totalLength, let longest = lengths.max(by: { $0.length < $1.length })
        else { return }
        fields.refuse(
            longest.name, code: "too_long", zh: "各处文字合计不得超过 \(totalLength) 个字符",
            en: "all texts together must have at most \(totalLength) characters")
    }

    private static func length(_ json: JSONValue) -> Int {
        switch json {
        case .string(let text): text.unicodeScalars.count
        case .array(let items): items.reduce(0) { $0 + length($1) }
        case .object(let members): members.reduce(0) { $0 + length($1.value) }
        default: 0
        }
    }

    /// - Parameter isWritten: whether a person wrote it; what models wrote is kept as it is.
    /// - Returns: `nil` only where an issue was recorded.
    static func body(of kind: ContentKind, isWritten: Bool = false, in fields: inout FieldReader) -> ContentBody? {
        func checked<Body>(
            _ read: @escaping (inout FieldReader) -> Body?, _ hashtags: @escaping (Body) -> [String]
        ) -> (inout FieldReader) -> Body? {
            { fields in
                let body = read(&fields)
                if isWritten, let body { refuseUnwritable(hashtags(body), in: &fields) }
                return body
            }
        }
        return switch kind {
        case .titleSet:
            fields.object("body", isWritten ? writtenTitleSet : titleSet).flatMap { $0 }.map(ContentBody.titleSet)
        case .copy: fields.object("body", checked(copy, \.hashtags)).flatMap { $0 }.map(ContentBody.copy)
        case .imageText: fields.object("body", checked(imageText, \.hashtags)).flatMap { $0 }.map(ContentBody.imageText)
        case .videoScript: fields.object("body", checked(videoScript, \.hashtags)).flatMap { $0 }.map(ContentBody.videoScript)
        case .video: fields.object("body", checked(video, \.hashtags)).flatMap { $0 }.map(ContentBody.video)
        case .replyTemplate: fields.object("body", replyTemplate).map(ContentBody.replyTemplate)
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
        let brief = brief(in: &body)
        return platform.map {
            TitleSetBody(topic: topic, platform: $0, candidates: candidates, selected: selected, brief: brief)
        }
    }

    /// A title set as a person writes it: titles alone, each once, as in an edit (``TitleSetEdit``).
    static func writtenTitleSet(_ body: inout FieldReader) -> TitleSetBody? {
        let topic = body.text("topic", length: topicLength)
        let platform = body.choice("platform", of: ContentPlatform.self)
        let candidates = writtenTitles(in: &body).map(TitleSetEdit.written)
        let selected = body.optionalInteger("selected", in: 0...max(0, candidates.count - 1))
        return platform.map { TitleSetBody(topic: topic, platform: $0, candidates: candidates, selected: selected) }
    }

    /// Two candidates that read the same could not be told apart by the next edit.
    static func writtenTitles(in fields: inout FieldReader) -> [String] {
        var seen: Set<[Unicode.Scalar]> = []
        return fields.objectList("candidates", minItems: 1, maxItems: maxCandidates) { candidate in
            let title = candidate.text("title", length: titleLength)
            if candidate.issues.isEmpty, !seen.insert(Array(title.unicodeScalars)).inserted {
                candidate.refuse("title", code: "repeated", zh: "与前面的标题重复", en: "repeats an earlier title")
            }
            return title
        }
    }

    private static func copy(_ body: inout FieldReader) -> CopyBody? {
        let topic = body.text("topic", length: topicLength)
        let platform = body.choice("platform", of: ContentPlatform.self)
        let title = body.optionalText("title", length: titleLength)
        let text = body.text("text", length: textLength)
        let hashtags = hashtags(in: &body)
        let callToAction = body.optionalText("callToAction", length: callToActionLength)
        let brief = brief(in: &body)
        return platform.map {
            CopyBody(
                topic: topic, platform: $0, title: title, text: text, hashtags: hashtags, callToAction: callToAction, brief: brief
            )
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
        let brief = brief(in: &body)
        return platform.map {
            ImageTextBody(
                topic: topic, platform: $0, title: title, text: text, hashtags: hashtags, callToAction: callToAction,
                slots: slots, brief: brief)
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
        let brief = brief(in: &body)
        guard let platform, let type else { return nil }
        return VideoScriptBody(
            topic: topic, platform: platform, scriptType: type, durationSeconds: durationSeconds, hook: hook, scenes: scenes,
            cta: cta, hashtags: hashtags, totalSeconds: total, brief: brief)
    }

    private static func video(_ body: inout FieldReader) -> VideoBody? {
        let topic = body.text("topic", length: topicLength)
        let platform = body.choice("platform", of: ContentPlatform.self)
        let title = body.text("title", length: titleLength)
        let text = body.text("text", length: descriptionLength)
        let hashtags = hashtags(in: &body)
        let video = body.object("video", videoFile)
        guard let platform, let video else { return nil }
        return VideoBody(topic: topic, platform: platform, title: title, text: text, hashtags: hashtags, video: video)
    }

    private static func replyTemplate(_ body: inout FieldReader) -> ReplyTemplateBody {
        let template = ReplyTemplateBody(
            scene: body.text("scene", length: sceneLength), text: body.text("text", length: replyLength),
            variables: replyVariables(in: &body))
        if body.issues.isEmpty {
            for issue in ReplyTemplateRule.issues(text: template.text, variables: template.variables) {
                body.refuse(issue.member, item: issue.item, code: issue.code, zh: issue.zh, en: issue.en)
            }
        }
        return template
    }

    // MARK: Parts, as saved and as edited

    /// What the writer was asked for, by the rules of the flows' requests.
    private static func brief(in body: inout FieldReader) -> ContentBrief? {
        let brief = body.optionalObject("brief") { brief in
            ContentBrief(
                audience: brief.optionalText("audience", length: 1...200),
                sellingPoints: brief.textList("sellingPoints", maxItems: 10, length: 1...200),
                tone: brief.optionalText("tone", length: 1...100),
                keywords: brief.textList("keywords", maxItems: 10, length: 1...50),
                bannedWords: brief.textList("bannedWords", maxItems: 50, length: 1...50),
                callToAction: brief.optionalText("callToAction", length: callToActionLength),
                imageStyle: brief.optionalText("imageStyle", length: 1...100),
                maxLength: brief.optionalInteger("maxLength", in: 5...100))
        }
        return brief.flatMap { $0 }
    }

    static func videoFile(_ video: inout FieldReader) -> VideoFile {
        VideoFile(
            assetId: video.optionalUUID("assetId"), coverAssetId: video.optionalUUID("coverAssetId"),
            subtitleAssetId: video.optionalUUID("subtitleAssetId"), scriptId: video.optionalUUID("scriptId"))
    }

    static func replyVariables(in body: inout FieldReader) -> [ReplyVariable] {
        guard body.has("variables") else {
            body.refuse("variables", code: "required", zh: "必填", en: "is required")
            return []
        }
        return body.objectList("variables", maxItems: maxVariables) { variable in
            let name = variable.text("name", length: variableLength)
            if variable.issues.isEmpty, !ReplyTemplateRule.isName(name) {
                variable.refuse("name", code: "malformed", zh: "只能用字母、数字和 _", en: "must consist of letters, digits and _")
            }
            return ReplyVariable(name: name, fallback: variable.optionalText("fallback", length: fallbackLength))
        }
    }

    static func hashtags(in body: inout FieldReader) -> [String] {
        body.textList("hashtags", maxItems: maxHashtags, length: hashtagLength)
    }

    /// What no platform would take as one hashtag, once it stands behind its `#`.
    static func refuseUnwritable(_ hashtags: [String], in body: inout FieldReader) {
        // Where one was refused already the others' places are not known.
        guard !body.issues.contains(where: { $0.pointer.contains("/hashtags") }) else { return }
        var seen: Set<[Unicode.Scalar]> = []
        for (item, hashtag) in hashtags.enumerated() {
            if hashtag.hasPrefix("#") || hashtag.hasPrefix("＃") {
                body.refuse("hashtags", item: item, code: "malformed", zh: "不要带 #", en: "must be without the #")
            } else if hashtag.contains(where: \.isWhitespace) {
                body.refuse("hashtags", item: item, code: "malformed", zh: "不能含空格", en: "must have no blanks")
            } else if !seen.insert(Array(hashtag.unicodeScalars)).inserted {
                body.refuse("hashtags", item: item, code: "repeated", zh: "与前面的话题重复", en: "repeats an earlier hashtag")
            }
        }
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
