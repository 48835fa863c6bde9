import ConcurrencySupport
import ConfigReading
import HTTPCalling
import HTTPCore
import Observability

/// What was said, and when.
struct Transcript: Sendable, Equatable {
    struct Segment: Sendable, Equatable {
        var startMilliseconds: Int
        var endMilliseconds: Int
        var text: String
    }

    /// As the service names it; `nil` where it does not say.
    var language: String?
    var segments: [Segment]

    /// Segments in order, none beyond the end of what was heard, none over another: services overlap them now and then, and hear
    /// something behind the end of what there is.
    func cues(durationMilliseconds: Int) -> [SubtitleCue] {
        var before = 0
        return segments.sorted { ($0.startMilliseconds, $0.endMilliseconds) < ($1.startMilliseconds, $1.endMilliseconds) }
            .flatMap { segment -> [SubtitleCue] in
                let start = max(before, segment.startMilliseconds)
                let end = min(segment.endMilliseconds, durationMilliseconds)
                let cues = SubtitleCue.cues(of: segment.text, from: start, until: end)
                before = max(before, cues.last?.endMilliseconds ?? before)
                return cues
            }
    }
}

/// `POST /audio/transcriptions` of OpenAI and of what speaks like it (OpenAI's API reference, "Audio"): multipart, `verbose_json` for the
/// times. Models that know no times answer the text alone, which then stands over the whole length.
struct SpeechRecognition: Sendable {
    /// OpenAI takes no larger file.
    static let largestFile = 25 << 20

    let settings: SpeechRecognitionSettings
    let http: HTTPClient
    let tracer: Tracer
    private let breaker = CircuitBreaker(name: "speech recognition")

    init(settings: SpeechRecognitionSettings, http: HTTPClient, tracer: Tracer) {
        self.settings = settings
        self.http = http
        self.tracer = tracer
    }

    /// - Parameters:
    ///   - sound: a file of one of the kinds that the service takes, at most ``largestFile``.
    ///   - filename: its ending says which kind.
    ///   - language: ISO 639-1; without one the service finds out.
    ///   - durationMilliseconds: of the sound.
    func transcribe(
        _ sound: [UInt8], filename: String, mediaType: String, language: String?, durationMilliseconds: Int
    ) async throws(SpeechFailure) -> Transcript {
        guard sound.count <= Self.largestFile else { throw SpeechFailure(.rejected, message: "the sound is too large") }
        func field(_ name: String, _ value: String) -> MultipartPart { MultipartPart(name: name, body: Array(value.utf8)) }
        var parts = [
            MultipartPart(name: "file", filename: filename, contentType: mediaType, body: sound), field("model", settings.model),
            field("response_format", settings.knowsTimes ? "verbose_json" : "json"),
        ]
        if let language { parts.append(field("language", language)) }
        // Without a hint the models write Chinese now in one script, now in the other, and mostly without marks between sentences.
        if language == "zh" { parts.append(field("prompt", "以下是普通话的句子，请使用简体中文和标点。")) }
        let request = ClientRequest(
            .post, settings.baseURL + "/audio/transcriptions", headers: ["Authorization": "Bearer \(settings.key.exposed)"],
            body: .multipart(parts), deadline: .after(settings.timeout),
            timeouts: .init(connect: .seconds(5), firstByte: settings.timeout, idle: settings.timeout), breaker: breaker)
        let response: ClientResponse
        do {
            response = try await tracer.withSpan("POST speech recognition", kind: .client) { span in
                let response = try await http.send(request)
                span.set("http.response.status_code", response.status.code)
                return response
            }
        } catch {
            throw SpeechFailure(.unavailable, message: "\(error)")
        }
        guard response.status == .ok else { throw SpeechFailure(refusal: response) }
        guard let transcript = Self.transcript(in: response.body, durationMilliseconds) else {
            throw SpeechFailure(.unusable, message: "the answer is no transcript")
        }
        return transcript
    }

    private static func transcript(in body: [UInt8], _ duration: Int) -> Transcript? {
        guard let answer = try? JSONValue(parsing: body), let text = answer["text"]?.string else { return nil }
        var segments: [Transcript.Segment] = []
        for segment in answer["segments"]?.array ?? [] {
            guard let start = segment["start"]?.double, let end = segment["end"]?.double, let said = segment["text"]?.string,
                (0...1e6).contains(start), (start...1e6).contains(end)
            else { return nil }
            segments.append(.init(startMilliseconds: Int(start * 1_000), endMilliseconds: Int(end * 1_000), text: said))
        }
        if segments.isEmpty, !text.isEmpty {
            segments = [.init(startMilliseconds: 0, endMilliseconds: duration, text: text)]
        }
        return Transcript(language: answer["language"]?.string, segments: segments)
    }
}

struct SpeechRecognitionSettings: Sendable {
    let baseURL: String
    let key: Secret
    let model: String
    let timeout: Duration

    /// OpenAI's newer models answer the text alone.
    var knowsTimes: Bool { !model.hasPrefix("gpt-") }

    init(baseURL: String, key: Secret, model: String, timeout: Duration) {
        self.baseURL = baseURL
        self.key = key
        self.model = model
        self.timeout = timeout
    }

    /// - Returns: `nil` where no service is set; malformed keys are reported all the same.
    init?(from reader: inout EnvironmentReader) {
        let key = reader.optionalSecret("ASR_API_KEY")
        let ownURL = reader.optionalURL("ASR_BASE_URL")
        let model = reader.string("ASR_MODEL", default: "whisper-1")
        let timeout = reader.duration("ASR_TIMEOUT", default: .seconds(300), in: .seconds(1) ... .seconds(3_600))
        guard key != nil || ownURL != nil else { return nil }
        // Local servers look at no key, but some want to see one.
        self.init(
            baseURL: ownURL ?? "https://api.openai.com/v1", key: key ?? Secret("none"), model: model, timeout: timeout)
    }
}

/// Why there is no transcript.
struct SpeechFailure: Error, Equatable, CustomStringConvertible {
    enum Kind: Sendable, Equatable {
        /// Busy, down or not reached; worth another try in a while.
        case unavailable
        /// The service does not take the file.
        case rejected
        /// Key, balance or model name.
        case misconfigured
        /// What came is no transcript.
        case unusable
    }

    var kind: Kind
    /// For the log.
    var message: String

    init(_ kind: Kind, message: String) {
        self.kind = kind
        self.message = message
    }

    /// An answer that is no 200, by its status and by what the vendor calls the error (llm-wire §10 holds here too).
    init(refusal response: ClientResponse) {
        let error = (try? JSONValue(parsing: response.body))?["error"]
        let code = error?["code"]?.string ?? error?["type"]?.string ?? ""
        let kind: Kind =
            switch response.status.code {
            case _ where code == "insufficient_quota": .misconfigured
            case 401, 402, 403, 404: .misconfigured
            case 408, 409, 429, 500...599: .unavailable
            default: .rejected
            }
        self.init(kind, message: "HTTP \(response.status.code) \(code.prefix(60))")
    }

    var description: String { "speech recognition: \(message)" }
}
