import DTO
import HTTPCore

/// The input rules of `POST /v1/video-scripts`. All problems are told at once.
enum VideoScriptGenerationInput {
    static let durationSeconds = 10...900

    static func read(_ json: JSONValue) throws -> VideoScriptBrief {
        var fields = FieldReader(json)
        let text = TextBrief(reading: &fields)
        let scriptType = fields.choice("scriptType", of: VideoScriptType.self)
        let seconds = fields.integer("durationSeconds", in: durationSeconds)
        try fields.finish()
        // Missing only where an issue was recorded.
        guard let scriptType else { throw InternalFailure() }
        return VideoScriptBrief(text: text, scriptType: scriptType, durationSeconds: seconds)
    }
}
