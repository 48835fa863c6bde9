import DTO
import HTTPCore

/// A text with a number of pictures.
struct ImageTextWriter: TextWriter {
    static let prompt = "image_text"
    static let templateVersion = "image_text.template@2"
    static let templateModel = "image-text-templates-v1"
    /// Where the platform shows no title, one is written all the same: lists and searches show it.
    static let usualTitleLength = 30
    static let captionLength = 1...60
    static let altLength = 1...120
    static let promptLength = 4...800

    let brief: WritingBrief
    let order: ImageTextOrder

    var values: [String: JSONValue] {
        brief.values(order.revision).merging(brief.lengthValues) { $1 }.merging([
            "titleLength": .number(String(titleLength)), "slots": .number(String(order.slots)),
            "imageStyle": order.imageStyle.map { .string($0) } ?? .null,
        ]) { $1 }
    }
    var seeds: [String] { [String(order.slots)] + (order.revision.map { [$0.feedback] } ?? []) }

    private var titleLength: Int { brief.request.rules.titleLength ?? Self.usualTitleLength }

    func read(_ answer: JSONValue) throws(TextFaults) -> ImageTextText {
        var reader = AnswerReader(answer)
        let tidy = TextTidying(brief)
        let (text, trailing) = TextTidying.splitOffHashtags(reader.text("text"))
        let title = tidy.line(reader.text("title"))
        var slots: [ImageSlotText] = []
        // More pictures than asked for: the first ones.
        for (index, item) in reader.objects("slots").prefix(order.slots).enumerated() {
            var slot = AnswerReader(item)
            slots.append(
                ImageSlotText(
                    caption: tidy.line(slot.text("caption")), alt: tidy.line(slot.text("alt")),
                    prompt: tidy.line(slot.text("prompt"))))
            for fault in slot.faults { reader.add("第 \(index + 1) 张图：\(fault)") }
        }
        if slots.count < order.slots { reader.add("配图只有 \(slots.count) 张，需要 \(order.slots) 张") }
        try reader.finish()
        return ImageTextText(
            title: title, text: tidy.paragraphs(text), hashtags: tidy.hashtags(reader.texts("hashtags") + trailing),
            callToAction: reader.optionalText("callToAction").map(tidy.line) ?? brief.usableCallToAction, slots: slots)
    }

    func rules(for text: ImageTextText) -> [TextVerdict] {
        let rules = TextRules(brief: brief)
        let told = text.slots.flatMap { [$0.caption, $0.alt, $0.prompt] }
        return rules.ofBody(
            title: text.title, titleLimit: titleLength, text: text.text, hashtags: text.hashtags, callToAction: text.callToAction)
            + text.slots.enumerated().flatMap { index, slot in
                let name = "第 \(index + 1) 张图的"
                return [
                    TextRules.length("slots", of: slot.caption, Self.captionLength, name + "图注"),
                    TextRules.length("slots", of: slot.alt, Self.altLength, name + "替代文字"),
                    TextRules.length("slots", of: slot.prompt, Self.promptLength, name + "画面描述"),
                ].compactMap { $0 }
            } + [
                TextVerdict("slots", text.slots.count == order.slots, "配图 \(text.slots.count) 张，要求 \(order.slots) 张"),
                TextVerdict(
                    "captions", Set(text.slots.map(\.caption)).count == text.slots.count, binding: false, "图注互不相同"),
            ] + [rules.links(told), rules.contact(told)].filter { !$0.check.passed }
    }

    func template(seed: UInt64) -> ImageTextText? {
        guard let title = brief.templateTitle(upTo: titleLength, seed: seed) else { return nil }
        var sentences = SentenceTemplates(brief, seed: seed)
        let hashtags = brief.templateHashtags()
        guard hashtags.count >= brief.request.rules.minHashtags, let text = CopyTemplates.text(&sentences),
            let slots = ImageSlotTemplates.slots(order.slots, style: order.imageStyle, &sentences)
        else { return nil }
        return ImageTextText(
            title: title, text: text, hashtags: hashtags, callToAction: CopyTemplates.callToAction(&sentences), slots: slots)
    }
}

/// Pictures that suit any topic: from the cover to the end, in the order in which people swipe.
enum ImageSlotTemplates {
    private struct Scene {
        let captions: [String]
        let alts: [String]
        let prompts: [String]
    }

    /// - Returns: `nil` where banned words leave no words for one of them.
    static func slots(_ count: Int, style: String?, _ sentences: inout SentenceTemplates) -> [ImageSlotText]? {
        let allowedStyle = style.flatMap { sentences.brief.suits($0) ? $0 : nil }
        let ending = "，" + (allowedStyle.map { "\($0)风格，" } ?? "") + "画面干净，光线柔和，不出现文字和标志"
        var slots: [ImageSlotText] = []
        for (index, scene) in order(count).enumerated() {
            // What says nothing comes last: where banned words leave no others.
            guard let caption = sentences.sentence(scene.captions, upTo: 60) ?? sentences.sentence(["图 \(index + 1)"], upTo: 60),
                let alt = sentences.sentence(scene.alts, upTo: 120, namingTopic: true)
                    ?? sentences.sentence(["配图 \(index + 1)"], upTo: 120),
                let picture = sentences.sentence(scene.prompts, upTo: 400, namingTopic: true)
                    ?? sentences.sentence(["简洁的静物，画面 \(index + 1)"], upTo: 400)
            else { return nil }
            let whole = picture + ending
            slots.append(
                ImageSlotText(caption: caption, alt: alt, prompt: sentences.brief.suits(whole) ? whole : picture))
        }
        return slots
    }

    /// The cover first, the end last, between them as many as are wanted.
    private static func order(_ count: Int) -> [Scene] {
        count == 1 ? [cover] : [cover] + middle.prefix(count - 2) + [end]
    }

    private static let cover = Scene(
        captions: ["{key}，从这里开始", "聊聊{key}", "从这里开始"], alts: ["封面图：{key}的整体画面", "封面图：整洁的桌面一角"],
        prompts: ["以{key}为主题的封面，主体居中，留白充足", "一张干净明亮的封面，主体居中，留白充足"])
    private static let end = Scene(
        captions: ["先收藏，慢慢来", "留给你的小提示", "下次见"], alts: ["结尾图：温暖的生活场景", "结尾图：窗边的一杯茶"],
        prompts: ["与{key}有关的生活场景，黄昏暖光，安静放松", "窗边的一杯茶，黄昏暖光，安静放松"])
    private static let middle = [
        Scene(
            captions: ["先想清楚需求", "动手之前想一想"], alts: ["一个人在本子上写下需求清单", "摊开的本子和一支笔"],
            prompts: ["俯拍，一只手在本子上列出关于{key}的清单", "俯拍，一只手在本子上列清单，旁边一杯咖啡"]),
        Scene(
            captions: ["细节看这里", "差别在细节里"], alts: ["{key}的细节特写", "局部细节特写"],
            prompts: ["{key}的近景特写，质感清晰，浅景深", "近景特写，质感清晰，浅景深"]),
        Scene(
            captions: ["放到日常里看", "日常里的样子"], alts: ["{key}在日常生活中的样子", "日常生活的场景"],
            prompts: ["日常环境里的{key}，自然光，生活气息", "明亮的居家环境，自然光，生活气息"]),
        Scene(
            captions: ["一步一步来", "按步骤做不慌"], alts: ["按顺序摆放的步骤示意", "步骤示意图"],
            prompts: ["关于{key}的分步示意，从左到右三个画面", "分步示意，从左到右三个画面"]),
        Scene(
            captions: ["两种选择对比", "放在一起看看"], alts: ["两种选择并排的对比画面", "左右并排的对比画面"],
            prompts: ["左右分屏对比两种{key}的做法，构图对称", "左右分屏对比，构图对称，背景简洁"]),
        Scene(
            captions: ["容易忽略的地方", "这里多留意"], alts: ["用手指着需要留意的地方", "需要留意的局部画面"],
            prompts: ["一只手指向{key}容易忽略的细节，背景虚化", "一只手指向画面一角，背景虚化"]),
        Scene(
            captions: ["一份小清单", "清单整理好了"], alts: ["一份整理好的清单", "整齐的清单和便签"],
            prompts: ["平铺构图，{key}相关的物件整齐排开", "平铺构图，几样小物件整齐排开"]),
    ]
}
