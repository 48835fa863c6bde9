import DTO
import HTTPCore

/// The input rules of `POST /v1/image-texts`. All problems are told at once.
enum ImageTextCreationInput {
    static let slots = 1...9
    static let defaultSlots = 3
    static let styleLength = 1...100

    /// - Parameter hasImageService: whether pictures can be made.
    static func read(_ json: JSONValue, hasImageService: Bool) throws -> ImageTextBrief {
        var fields = FieldReader(json)
        let text = TextBrief(reading: &fields)
        let slots = fields.integer("slots", in: slots, default: defaultSlots)
        let shape = fields.choice("imageShape", of: ImageShape.self, default: ImageShape.usual(on: text.platform))
        let style = fields.optionalText("imageStyle", length: styleLength)
        try fields.finish()
        return ImageTextBrief(
            text: text, slots: slots, imageShape: shape, imageStyle: style, hasPicturesMade: hasImageService)
    }
}

extension ImageShape {
    /// Phones show pictures upright where works fill the screen, and lying where they stand between paragraphs.
    static func usual(on platform: ContentPlatform) -> ImageShape {
        switch platform {
        case .douyin, .xiaohongshu, .kuaishou, .wechatChannels: .portrait
        case .bilibili, .wechatOfficial, .zhihu: .landscape
        case .weibo: .square
        }
    }
}
