import DTO
import FoundationEssentials

/// What the writers are told: the text as it stands and the editor's wish, and beside them what every text is written by.
extension ContentRegeneration {
    static func request(
        _ body: TitleSetBody, _ wish: RegenerationWish, _ vocabulary: TenantVocabulary
    ) -> TitleWritingRequest {
        TitleWritingRequest(
            topic: body.topic, platform: body.platform, audience: body.brief?.audience,
            sellingPoints: body.brief?.sellingPoints ?? [], tone: body.brief?.tone, keywords: body.brief?.keywords ?? [],
            bannedWords: vocabulary.bannedWords(besides: body.brief?.bannedWords ?? [], on: body.platform),
            brandWords: vocabulary.brandWords,
            // As many as there are, within what a writer takes.
            count: min(max(body.candidates.count, 1), 20),
            maxLength: body.brief?.maxLength ?? PlatformRules.of(body.platform).titleLength,
            model: wish.model, revision: TitleRevision(previous: body.candidates.map(\.title), feedback: wish.feedback),
            promptLabel: wish.promptLabel)
    }

    static func request(_ body: CopyBody, _ wish: RegenerationWish, _ vocabulary: TenantVocabulary) -> CopyWritingRequest {
        CopyWritingRequest(
            topic: body.topic, platform: body.platform, rules: .of(body.platform), audience: body.brief?.audience,
            sellingPoints: body.brief?.sellingPoints ?? [], tone: body.brief?.tone,
            keywords: body.brief?.keywords ?? [],
            bannedWords: vocabulary.bannedWords(besides: body.brief?.bannedWords ?? [], on: body.platform),
            brandWords: vocabulary.brandWords, callToAction: body.brief?.callToAction, model: wish.model,
            revision: CopyRevision(
                previous: CopyText(
                    title: body.title, text: body.text, hashtags: body.hashtags, callToAction: body.callToAction),
                feedback: wish.feedback), promptLabel: wish.promptLabel)
    }

    static func request(
        _ body: ImageTextBody, _ wish: RegenerationWish, _ vocabulary: TenantVocabulary
    ) -> ImageTextWritingRequest {
        ImageTextWritingRequest(
            topic: body.topic, platform: body.platform, rules: .of(body.platform), slots: body.slots.count,
            imageStyle: body.brief?.imageStyle,
            audience: body.brief?.audience, sellingPoints: body.brief?.sellingPoints ?? [], tone: body.brief?.tone,
            keywords: body.brief?.keywords ?? [],
            bannedWords: vocabulary.bannedWords(besides: body.brief?.bannedWords ?? [], on: body.platform),
            brandWords: vocabulary.brandWords,
            callToAction: body.brief?.callToAction, model: wish.model,
            revision: ImageTextRevision(
                previous: ImageTextText(
                    title: body.title, text: body.text, hashtags: body.hashtags, callToAction: body.callToAction,
                    slots: body.slots.map { ImageSlotText(caption: $0.caption, alt: $0.alt, prompt: $0.prompt) }),
                feedback: wish.feedback), promptLabel: wish.promptLabel)
    }

    /// A picture stays where its slot says what it said: looked for at its own place first, since slots may change places.
    static func body(_ text: ImageTextText, after before: ImageTextBody) -> ImageTextBody {
        var left: [ImageSlot?] = before.slots
        let kept = text.slots.enumerated().map { index, slot -> ImageSlot? in
            guard left.indices.contains(index), let old = left[index], old.says(slot) else { return nil }
            left[index] = nil
            return old
        }
        let slots = zip(text.slots, kept).map { slot, old -> ImageSlot in
            if let old { return old }
            guard let place = left.firstIndex(where: { $0?.says(slot) ?? false }), let moved = left[place] else {
                return ImageSlot(caption: slot.caption, alt: slot.alt, prompt: slot.prompt)
            }
            left[place] = nil
            return moved
        }
        return ImageTextBody(
            topic: before.topic, platform: before.platform, title: text.title, text: text.text, hashtags: text.hashtags,
            callToAction: text.callToAction, slots: slots, brief: before.brief)
    }

    static func request(
        _ body: VideoScriptBody, _ wish: RegenerationWish, _ vocabulary: TenantVocabulary
    ) -> VideoScriptWritingRequest {
        VideoScriptWritingRequest(
            topic: body.topic, scriptType: body.scriptType, durationSeconds: body.durationSeconds, platform: body.platform,
            rules: .of(body.platform), audience: body.brief?.audience, sellingPoints: body.brief?.sellingPoints ?? [],
            tone: body.brief?.tone, keywords: body.brief?.keywords ?? [],
            bannedWords: vocabulary.bannedWords(besides: body.brief?.bannedWords ?? [], on: body.platform),
            brandWords: vocabulary.brandWords,
            callToAction: body.brief?.callToAction, model: wish.model,
            revision: VideoScriptRevision(
                previous: VideoScript(
                    hook: body.hook, scenes: body.scenes, cta: body.cta, hashtags: body.hashtags, totalSeconds: body.totalSeconds
                ), feedback: wish.feedback), promptLabel: wish.promptLabel)
    }

    static func body(_ script: VideoScript, after before: VideoScriptBody) -> VideoScriptBody {
        VideoScriptBody(
            topic: before.topic, platform: before.platform, scriptType: before.scriptType,
            durationSeconds: before.durationSeconds, hook: script.hook, scenes: script.scenes, cta: script.cta,
            hashtags: script.hashtags, totalSeconds: script.totalSeconds, brief: before.brief)
    }
}

extension ImageSlot {
    /// Its picture, if it has one, shows what this text says.
    fileprivate func says(_ text: ImageSlotText) -> Bool {
        caption == text.caption && alt == text.alt && prompt == text.prompt
    }
}
