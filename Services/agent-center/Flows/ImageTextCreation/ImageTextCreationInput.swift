import DTO
import HTTPCore

/// The input rules of `POST /v1/image-texts`.
enum ImageTextCreationInput {
    /// - Throws: `ValidationFailure` with every refusal.
    static func read(_ json: JSONValue, knows isKnown: (String) -> Bool) throws -> ImageTextOrder {
        var fields = FieldReader(json)
        let order = ImageTextOrder(
            request: WritingInput.request(&fields, knows: isKnown), slots: fields.integer("slots", in: 1...9),
            imageStyle: fields.optionalText("imageStyle", length: 1...100), revision: WritingInput.revision(&fields, previous))
        try fields.finish()
        return order
    }

    private static func previous(_ fields: inout FieldReader) -> ImageTextText {
        ImageTextText(
            title: fields.text("title", length: 1...200), text: fields.text("text", length: 1...20_000),
            hashtags: WritingInput.hashtags(&fields), callToAction: fields.optionalText("callToAction", length: 1...200),
            slots: fields.objectList("slots", minItems: 1, maxItems: 9) { slot in
                ImageSlotText(
                    caption: slot.text("caption", length: 0...200), alt: slot.text("alt", length: 0...300),
                    prompt: slot.text("prompt", length: 1...2_000))
            })
    }
}
