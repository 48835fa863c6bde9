import DTO
import HTTPCore

/// The input rules of `POST /v1/copies`.
enum CopyGenerationInput {
    /// - Throws: `ValidationFailure` with every refusal.
    static func read(
        _ json: JSONValue, knows isKnown: (String) -> Bool
    ) throws -> (request: WritingRequest, revision: Revision<CopyText>?) {
        var fields = FieldReader(json)
        let request = WritingInput.request(&fields, knows: isKnown)
        let revision = WritingInput.revision(&fields) { fields in
            CopyText(
                title: fields.optionalText("title", length: 1...200), text: fields.text("text", length: 1...20_000),
                hashtags: WritingInput.hashtags(&fields), callToAction: fields.optionalText("callToAction", length: 1...200))
        }
        try fields.finish()
        return (request, revision)
    }
}
