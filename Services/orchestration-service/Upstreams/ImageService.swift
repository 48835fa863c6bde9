import ConcurrencySupport
import ConfigReading
import Cryptography
import DTO
import FoundationEssentials
import HTTPCalling
import HTTPCore
import Observability

/// What the flows need of an outside image service (seed 000 §3: 如有外部生图服务).
protocol ImageService: Sendable {
    /// Whose prices hold.
    var model: ImageModel { get }

    /// Has one picture made. It costs money, and the service knows no idempotency: never call it twice for one picture unless
    /// ``ImageFailure/certainty`` says that nothing was made.
    func generate(_ prompt: String, shape: ImageShape) async throws(ImageFailure) -> GeneratedPicture

    /// The bytes behind an address that ``generate(_:shape:)`` answered. Costs nothing and may be repeated.
    func fetch(_ address: String) async throws(ImageFailure) -> Picture
}

struct ImageModel: Sendable, Equatable {
    var provider: String
    var name: String
}

/// How the service hands a picture over.
enum GeneratedPicture: Sendable, Equatable {
    case picture(Picture)
    /// Good for an hour or so.
    case address(String)
}

/// A picture whose bytes are what they should be.
struct Picture: Sendable, Equatable {
    /// Bytes; content-center keeps no larger ones.
    static let maximumSize = 8 << 20

    let type: PictureType
    let bytes: [UInt8]

    /// - Returns: `nil` for other bytes than a picture's, and for too many.
    init?(_ bytes: [UInt8]) {
        guard bytes.count <= Self.maximumSize, let type = PictureType(sniffing: bytes) else { return nil }
        self.type = type
        self.bytes = bytes
    }
}

/// `POST /images/generations` of OpenAI and of what speaks like it (OpenAI's API reference, "Images").
///
/// `response_format` is not sent: the newer models refuse it. Both kinds of answer, `b64_json` and `url`, are taken.
struct OpenAIImageService: ImageService {
    let settings: ImageServiceSettings
    let http: HTTPClient
    let tracer: Tracer
    private let breaker = CircuitBreaker(name: "image service")
    /// A picture in an answer is megabytes of text.
    private let decoding = BlockingPool(name: "pictures", threads: 2)

    /// The bytes in base64 (a third more), and what stands around them.
    private static let longestAnswer = Picture.maximumSize / 3 * 4 + (64 << 10)

    init(settings: ImageServiceSettings, http: HTTPClient, tracer: Tracer) {
        self.settings = settings
        self.http = http
        self.tracer = tracer
    }

    var model: ImageModel { settings.model }

    func generate(_ prompt: String, shape: ImageShape) async throws(ImageFailure) -> GeneratedPicture {
        struct Body: Encodable {
            var model: String
            var prompt: String
            var n = 1
            var size: String
        }
        let body = Body(model: model.name, prompt: prompt, size: settings.sizes[shape] ?? "1024x1024")
        let response = try await send("POST image service", failure: ImageFailure.broken) {
            ClientRequest(
                .post, settings.baseURL + "/images/generations",
                headers: ["Authorization": "Bearer \(settings.key.exposed)", "Content-Type": "application/json"],
                body: .bytes(try JSON.encode(body)), deadline: .after(settings.timeout),
                timeouts: .init(connect: settings.connectTimeout, firstByte: settings.timeout, idle: settings.timeout),
                maxResponseBytes: Self.longestAnswer, breaker: breaker)
        }
        guard response.status == .ok else { throw .refused(response, secondsSince1970: Date().timeIntervalSince1970) }
        do {
            return try await decoding.run { try Self.picture(in: response.body) }
        } catch let failure as ImageFailure {
            throw failure
        } catch {
            // Only the pool's own refusals: what the answer held is lost with it.
            throw ImageFailure(.unusable, message: "\(error)")
        }
    }

    func fetch(_ address: String) async throws(ImageFailure) -> Picture {
        guard PictureAddress.isAllowed(address, from: settings.baseURL) else {
            throw ImageFailure(.unusable, message: "the picture's address is not one that we ask")
        }
        // Neither key nor redirects: an answer that points elsewhere is no picture.
        let response = try await send("GET picture", failure: ImageFailure.lost) {
            ClientRequest(
                .get, address, deadline: .after(settings.timeout),
                timeouts: .init(connect: settings.connectTimeout, firstByte: .seconds(20), idle: .seconds(20)),
                maxResponseBytes: Picture.maximumSize, retry: .standard)
        }
        guard response.status == .ok else {
            throw ImageFailure.withheld(response, secondsSince1970: Date().timeIntervalSince1970)
        }
        guard let picture = Picture(response.body) else {
            throw ImageFailure(.unusable, message: "the picture's address answered something else")
        }
        return picture
    }

    private func send(
        _ span: String, failure: (HTTPClientError) -> ImageFailure, _ request: () throws -> ClientRequest
    ) async throws(ImageFailure) -> ClientResponse {
        do {
            return try await tracer.withSpan(span, kind: .client) { span in
                let response = try await http.send(try request())
                span.set("http.response.status_code", response.status.code)
                return response
            }
        } catch let error as HTTPClientError {
            throw failure(error)
        } catch {
            // Not sent: what was to be sent cannot be written as JSON.
            throw ImageFailure(.rejected, message: "\(error)")
        }
    }

    private static func picture(in body: [UInt8]) throws(ImageFailure) -> GeneratedPicture {
        guard let first = (try? JSONValue(parsing: body))?["data"]?[0] else {
            throw ImageFailure(.unusable, message: "the answer has no picture")
        }
        if let text = first["b64_json"]?.string {
            guard let picture = Base64.decode(text).flatMap({ Picture($0) }) else {
                throw ImageFailure(.unusable, message: "the answer's picture is none")
            }
            return .picture(picture)
        }
        guard let address = first["url"]?.string else { throw ImageFailure(.unusable, message: "the answer has no picture") }
        return .address(address)
    }
}
