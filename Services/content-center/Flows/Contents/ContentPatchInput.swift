import DTO
import FoundationEssentials
import HTTPCore

/// The input rules of `PATCH /v1/contents/{id}`. Whether a member belongs to the content's kind is ``ContentEdit``'s to say.
enum ContentPatchInput {
    static func read(_ json: JSONValue) throws -> ContentPatch {
        var fields = FieldReader(json)
        let title = fields.optionalText("title", length: ContentsInput.titleLength)
        var candidates: [ContentPatch.Candidate]?
        if json["candidates"] != nil {
            candidates = ContentBodyInput.writtenTitles(in: &fields).map(ContentPatch.Candidate.init)
        }
        let selected = fields.patchField("selected") { $0.optionalInteger($1, in: 0...(ContentBodyInput.maxCandidates - 1)) }
        let members = json["body"]
        let body = fields.optionalObject("body") { bodyPatch(&$0, members: members) }
        ContentBodyInput.checkTotal(of: json, at: ["body", "candidates"], &fields)
        try fields.finish()
        return ContentPatch(title: title, candidates: candidates, selected: nullable(selected), body: body)
    }

    private static func bodyPatch(_ body: inout FieldReader, members: JSONValue?) -> ContentBodyPatch {
        let title = body.patchField("title") { $0.optionalText($1, length: ContentBodyInput.titleLength) }
        let text = body.optionalText("text", length: ContentBodyInput.textLength)
        let callToAction = body.patchField("callToAction") {
            $0.optionalText($1, length: ContentBodyInput.callToActionLength)
        }
        let hashtags = members?["hashtags"] == nil ? nil : ContentBodyInput.hashtags(in: &body)
        if let hashtags { ContentBodyInput.refuseUnwritable(hashtags, in: &body) }
        let slots = members?["slots"] == nil ? nil : ContentBodyInput.slots(in: &body)
        let hook = body.optionalText("hook", length: ContentBodyInput.hookLength)
        let scenes = members?["scenes"] == nil ? nil : sceneEdits(in: &body)
        let cta = body.optionalText("cta", length: ContentBodyInput.hookLength)
        let video = body.optionalObject("video", ContentBodyInput.videoFile)
        let scene = body.optionalText("scene", length: ContentBodyInput.sceneLength)
        let variables = members?["variables"] == nil ? nil : ContentBodyInput.replyVariables(in: &body)
        return ContentBodyPatch(
            title: nullable(title), text: text, callToAction: nullable(callToAction), hashtags: hashtags, slots: slots,
            hook: hook,
            scenes: scenes, cta: cta, video: video, scene: scene, variables: variables)
    }

    private static func sceneEdits(in body: inout FieldReader) -> [SceneEdit] {
        var total = 0
        let scenes = body.objectList("scenes", minItems: 1, maxItems: ContentBodyInput.maxScenes) { scene in
            _ = scene.optionalInteger("index", in: 1...ContentBodyInput.maxScenes)
            _ = scene.optionalInteger("startSecond", in: 0...ContentBodyInput.totalSeconds.upperBound)
            let edit = ContentBodyInput.sceneEdit(&scene)
            total += edit.durationSeconds
            return edit
        }
        if body.issues.isEmpty, total > ContentBodyInput.totalSeconds.upperBound {
            let limit = ContentBodyInput.totalSeconds.upperBound
            body.refuse("scenes", code: "out_of_range", zh: "总时长最多 \(limit) 秒", en: "must last at most \(limit) seconds")
        }
        return scenes
    }

    private static func nullable<Value>(_ field: Field<Value>) -> Nullable<Value>? {
        switch field {
        case .absent: nil
        case .null: Nullable.none
        case .value(let value): .value(value)
        }
    }
}
