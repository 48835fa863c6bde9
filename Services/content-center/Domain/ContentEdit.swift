import DTO
import HTTPCore

/// The second edit (二次编辑) of a content of any kind, as a pure rule: a merge patch (RFC 7396) over the version before it.
enum ContentEdit {
    /// - Returns: `nil` when the patch changes nothing, so that no empty version is made.
    /// - Throws: ``ContentsError/editRefused(_:)`` for members that the content's kind does not have, or whose values do not fit it.
    static func apply(_ patch: ContentPatch, to before: Content) throws(ContentsError) -> (title: String, body: ContentBody)? {
        try refuseForeignMembers(of: patch, for: before.kind)
        let body: ContentBody
        switch before.body {
        case .titleSet(let titles):
            do {
                body = .titleSet(try TitleSetEdit.apply(patch, to: titles))
            } catch {
                throw .selectionOutOfRange(count: error.count)
            }
        case .copy(let copy): body = .copy(edited(copy, by: patch.body))
        case .imageText(let imageText): body = .imageText(try edited(imageText, by: patch.body))
        case .videoScript(let script): body = .videoScript(edited(script, by: patch.body))
        case .video(let video): body = .video(try edited(video, by: patch.body))
        case .replyTemplate(let template): body = .replyTemplate(try edited(template, by: patch.body))
        }
        let title = patch.title ?? before.title
        // A spelling that is merely canonically equivalent is another text.
        guard !title.isSameText(as: before.title) || !body.isSameText(as: before.body) else { return nil }
        return (title, body)
    }

    private static func refuseForeignMembers(of patch: ContentPatch, for kind: ContentKind) throws(ContentsError) {
        var issues: [FieldIssue] = []
        func check(_ isThere: Bool, _ pointer: String, _ kinds: Set<ContentKind>) {
            guard isThere, !kinds.contains(kind) else { return }
            issues.append(
                FieldIssue(
                    pointer: pointer, code: "unknown_field",
                    message: LocalizedText(
                        zh: "\(kind.chineseName)没有这个字段", en: "a content of kind \(kind.rawValue) has no such field")))
        }
        check(patch.candidates != nil, "/candidates", [.titleSet])
        check(patch.selected != nil, "/selected", [.titleSet])
        if let body = patch.body {
            check(body.title != nil, "/body/title", [.copy, .imageText, .video])
            check(body.text != nil, "/body/text", [.copy, .imageText, .video, .replyTemplate])
            check(body.callToAction != nil, "/body/callToAction", [.copy, .imageText])
            check(body.hashtags != nil, "/body/hashtags", [.copy, .imageText, .videoScript, .video])
            check(body.slots != nil, "/body/slots", [.imageText])
            check(body.hook != nil, "/body/hook", [.videoScript])
            check(body.scenes != nil, "/body/scenes", [.videoScript])
            check(body.cta != nil, "/body/cta", [.videoScript])
            check(body.video != nil, "/body/video", [.video])
            check(body.scene != nil, "/body/scene", [.replyTemplate])
            check(body.variables != nil, "/body/variables", [.replyTemplate])
        }
        if !issues.isEmpty { throw .editRefused(issues) }
    }

    private static func edited(_ before: CopyBody, by patch: ContentBodyPatch?) -> CopyBody {
        var body = before
        patch?.title.merge(into: &body.title)
        if let text = patch?.text { body.text = text }
        if let hashtags = patch?.hashtags { body.hashtags = hashtags }
        patch?.callToAction.merge(into: &body.callToAction)
        return body
    }

    private static func edited(_ before: ImageTextBody, by patch: ContentBodyPatch?) throws(ContentsError) -> ImageTextBody {
        var body = before
        if let title = try required(patch?.title) { body.title = title }
        if let text = patch?.text { body.text = text }
        if let hashtags = patch?.hashtags { body.hashtags = hashtags }
        patch?.callToAction.merge(into: &body.callToAction)
        if let slots = patch?.slots { body.slots = slots }
        return body
    }

    /// A title that cannot be taken away.
    private static func required(_ title: Nullable<String>?) throws(ContentsError) -> String? {
        switch title {
        case nil: return nil
        case .value(let title)?: return title
        case .some(.none):
            throw .editRefused([
                FieldIssue(pointer: "/body/title", code: "required", message: LocalizedText(zh: "必填", en: "is required"))
            ])
        }
    }

    private static func edited(_ before: VideoBody, by patch: ContentBodyPatch?) throws(ContentsError) -> VideoBody {
        var body = before
        if let title = try required(patch?.title) { body.title = title }
        if let text = patch?.text {
            guard text.characterCount <= ContentBodyInput.descriptionLength.upperBound else {
                throw .editRefused([tooLong("/body/text", ContentBodyInput.descriptionLength.upperBound)])
            }
            body.text = text
        }
        if let hashtags = patch?.hashtags { body.hashtags = hashtags }
        if let video = patch?.video { body.video = video }
        return body
    }

    private static func edited(_ before: ReplyTemplateBody, by patch: ContentBodyPatch?) throws(ContentsError)
        -> ReplyTemplateBody
    {
        var body = before
        if let scene = patch?.scene { body.scene = scene }
        if let text = patch?.text { body.text = text }
        if let variables = patch?.variables { body.variables = variables }
        guard body.text.characterCount <= ContentBodyInput.replyLength.upperBound else {
            throw .editRefused([tooLong("/body/text", ContentBodyInput.replyLength.upperBound)])
        }
        let issues = ReplyTemplateRule.issues(text: body.text, variables: body.variables)
        guard issues.isEmpty else {
            throw .editRefused(
                issues.map { issue in
                    FieldIssue(
                        pointer: "/body/\(issue.member)" + (issue.item.map { "/\($0)" } ?? ""), code: issue.code,
                        message: LocalizedText(zh: issue.zh, en: issue.en))
                })
        }
        return body
    }

    private static func tooLong(_ pointer: String, _ limit: Int) -> FieldIssue {
        FieldIssue(
            pointer: pointer, code: "too_long",
            message: LocalizedText(zh: "最多 \(limit) 个字", en: "must have at most \(limit) characters"))
    }

    private static func edited(_ before: VideoScriptBody, by patch: ContentBodyPatch?) -> VideoScriptBody {
        var body = before
        if let hook = patch?.hook { body.hook = hook }
        if let cta = patch?.cta { body.cta = cta }
        if let hashtags = patch?.hashtags { body.hashtags = hashtags }
        if let scenes = patch?.scenes {
            var start = 0
            body.scenes = scenes.enumerated().map { index, scene in
                defer { start += scene.durationSeconds }
                return VideoScene(
                    index: index + 1, startSecond: start, durationSeconds: scene.durationSeconds, shot: scene.shot,
                    camera: scene.camera, visual: scene.visual, line: scene.line, subtitle: scene.subtitle, bgm: scene.bgm,
                    props: scene.props)
            }
            body.totalSeconds = start
        }
        return body
    }
}

extension Optional where Wrapped == Nullable<String> {
    fileprivate func merge(into text: inout String?) {
        switch self {
        case nil: break
        case .some(.none): text = nil
        case .value(let new)?: text = new
        }
    }
}

extension ContentBody {
    /// `==` calls canonically equivalent spellings equal; their JSON differs.
    func isSameText(as other: ContentBody) -> Bool {
        guard self == other else { return false }
        guard let mine = try? JSON.encode(self), let theirs = try? JSON.encode(other) else { return true }
        return mine == theirs
    }
}
