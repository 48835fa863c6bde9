import HTTPCalling
import HTTPCore
import HTTPServing
import ServiceDefaults

/// Passes an event stream on as it comes, byte for byte, at the speed of the slower side. Where the service breaks off, the client is
/// told by a last event, and the answer is left unfinished: what was cut never looks whole.
enum StreamRelay {
    static func body(_ stream: UpstreamStream, face: PublicRoute.Face, for request: Request) -> Response.Body {
        .stream { writer in
            while true {
                let piece: [UInt8]?
                do {
                    piece = try await stream.next()
                } catch is CancellationError {
                    throw CancellationError()
                } catch {
                    try await writer.write(lastEvent(face, request))
                    throw error
                }
                guard let piece else { return }
                try await writer.write(piece)
            }
        }
    }

    private static func lastEvent(_ face: PublicRoute.Face, _ request: Request) throws -> [UInt8] {
        let problem = ProblemBody(
            ProblemDescription(
                status: .badGateway, code: "upstream.stream_broken",
                title: LocalizedText(zh: "回答在中途中断", en: "The answer broke off"), retryable: true),
            language: request.language, instance: request.path, requestId: request.requestId)
        // It may have broken off inside a line: an empty line ends what came before.
        let separator = Array("\n\n".utf8)
        switch face {
        case .openAI: return separator + OpenAIEnvelope.event(for: problem)
        case .platform: return separator + Array("event: error\ndata: ".utf8) + (try JSON.encode(problem)) + separator
        }
    }
}
