/// `POST /audio/transcriptions` as OpenAI has it. What is heard is always the same; how much of it depends on the file's size alone.
enum Transcriptions {
    /// Bytes; the vendor takes no larger file.
    static let largestFile = 25 << 20
    private static let endings = ["flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm"]

    /// Seconds and what is said.
    static let speech: [(start: Double, end: Double, text: String)] = [
        (0.0, 1.5, "大家好，今天聊聊防晒霜。"), (1.5, 3.2, "油皮选清爽的，干皮选滋润的，敏感肌先在耳后试一试。"), (3.2, 4.4, "记得两小时补涂一次。"),
        (4.4, 6.0, "觉得有用就点个关注，我们下期见。"),
    ]

    static func answer(_ request: IncomingRequest) -> Answer {
        guard let form = MultipartForm(request) else {
            return ErrorAnswers.invalid("Could not parse multipart form", param: nil)
        }
        guard let model = form.text("model") else {
            return ErrorAnswers.invalid("you must provide a model parameter", param: "model")
        }
        guard ["whisper-", "gpt-4o-", "sandbox-"].contains(where: { model.hasPrefix($0) }) else {
            return ErrorAnswers.invalid(
                "The model '\(model)' does not exist.", param: "model", code: "model_not_found", status: 404)
        }
        guard let file = form.part("file"), let name = file.filename, !file.body.isEmpty else {
            return ErrorAnswers.invalid("Missing required parameter: 'file'.", param: "file")
        }
        guard let ending = name.split(separator: ".").last, endings.contains(ending.lowercased()) else {
            return ErrorAnswers.invalid("Invalid file format. Supported formats: \(endings)", param: "file")
        }
        guard file.body.count <= largestFile else {
            return ErrorAnswers.invalid("Maximum content size limit (\(largestFile)) exceeded", param: "file", status: 413)
        }
        let format = form.text("response_format") ?? "json"
        let all = speech.map(\.text).joined()
        switch format {
        case "json": return Answer(status: 200, json: .make(["text": .string(all)]))
        case "verbose_json" where model.hasPrefix("gpt-"):
            return ErrorAnswers.invalid(
                "response_format 'verbose_json' is not compatible with model '\(model)'.", param: "response_format")
        case "verbose_json":
            let segments = speech.enumerated().map { index, segment in
                JSON.make([
                    "id": .int(index), "seek": .int(0), "start": .number("\(segment.start)"), "end": .number("\(segment.end)"),
                    "text": .string(segment.text), "temperature": .number("0.0"), "avg_logprob": .number("-0.25"),
                    "compression_ratio": .number("1.1"), "no_speech_prob": .number("0.01"),
                ])
            }
            return Answer(
                status: 200,
                json: .make([
                    "task": .string("transcribe"), "language": .string("chinese"),
                    "duration": .number("\(speech.last?.end ?? 0)"),
                    "text": .string(all), "segments": .array(segments),
                ]))
        default: return ErrorAnswers.invalid("Invalid value for 'response_format'.", param: "response_format")
        }
    }
}

/// A `multipart/form-data` body.
struct MultipartForm {
    struct Part {
        var name: String
        var filename: String?
        var body: ArraySlice<UInt8>
    }

    private var parts: [Part] = []

    init?(_ request: IncomingRequest) {
        guard let type = request.header("content-type"), type.hasPrefix("multipart/form-data"),
            let boundary = Self.parameter("boundary", of: type), !boundary.isEmpty
        else { return nil }
        let delimiter = Array("--\(boundary)".utf8)
        var rest = request.body[...]
        guard rest.starts(with: delimiter) else { return nil }
        rest = rest.dropFirst(delimiter.count)
        while !rest.starts(with: Array("--".utf8)) {
            guard rest.starts(with: Array("\r\n".utf8)), let head = Self.place(of: Array("\r\n\r\n".utf8), in: rest) else {
                return nil
            }
            let lines = String(decoding: rest[rest.startIndex..<head], as: UTF8.self)
            let body = rest[(head + 4)...]
            guard let end = Self.place(of: Array("\r\n".utf8) + delimiter, in: body) else { return nil }
            if let name = Self.parameter("name", of: lines) {
                parts.append(Part(name: name, filename: Self.parameter("filename", of: lines), body: body[body.startIndex..<end]))
            }
            rest = body[(end + 2 + delimiter.count)...]
        }
    }

    func part(_ name: String) -> Part? { parts.first { $0.name == name } }

    func text(_ name: String) -> String? { part(name).map { String(decoding: $0.body, as: UTF8.self) } }

    private static func parameter(_ name: String, of text: String) -> String? {
        for mark in ["; \(name)=\"", "; \(name)="] {
            guard let range = text.firstRange(of: mark) else { continue }
            return String(text[range.upperBound...].prefix { $0 != "\"" && $0 != ";" && !$0.isNewline })
        }
        return nil
    }

    private static func place(of pattern: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        var place = bytes.startIndex
        while place <= bytes.endIndex - pattern.count {
            // Byte by byte only where the first one fits: files are megabytes.
            guard let next = bytes[place...].firstIndex(of: pattern[0]) else { return nil }
            if bytes[next...].starts(with: pattern) { return next }
            place = next + 1
        }
        return nil
    }
}
