import ConcurrencySupport
import Cryptography
import DTO
import Foundation
import HTTPCore
import Observability
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import OrchestrationService

/// An image service that does what the test says, by prompt.
final class ScriptedImages: ImageService {
    enum Reply: Sendable {
        case picture
        case address
        case failure(ImageFailure.Kind)
    }
    private struct State {
        var replies: [String: [Reply]] = [:]
        var prompts: [String] = []
        var fetched: [String] = []
        var absences: Int
    }
    /// What addresses say when they do not answer.
    private let retryAfter: Duration?
    let model = ImageModel(provider: "openai", name: "gpt-image-1")
    private let state: Lock<State>
    /// Before each picture.
    private let beforeEach: @Sendable (String) async throws -> Void

    /// - Parameter absences: how often addresses do not answer before they do.
    init(
        _ replies: [String: [Reply]] = [:], absences: Int = 0, retryAfter: Duration? = nil,
        beforeEach: @escaping @Sendable (String) async throws -> Void = { _ in }
    ) {
        state = Lock(State(replies: replies, absences: absences))
        self.retryAfter = retryAfter
        self.beforeEach = beforeEach
    }

    /// What was asked for, and so paid for where no refusal came.
    var prompts: [String] { state.withLock { $0.prompts } }
    var fetched: [String] { state.withLock { $0.fetched } }

    func generate(_ prompt: String, shape: ImageShape) async throws(ImageFailure) -> GeneratedPicture {
        let reply = state.withLock { state in
            state.prompts.append(prompt)
            let replies = state.replies[prompt] ?? []
            if replies.count > 1 { state.replies[prompt]?.removeFirst() }
            return replies.first ?? .picture
        }
        try? await beforeEach(prompt)
        switch reply {
        case .picture:
            guard let picture = Picture(Self.png(prompt)) else { throw ImageFailure(.unusable, message: "test") }
            return .picture(picture)
        case .address: return .address("https://cdn.example.com/\(prompt)")
        case .failure(let kind): throw ImageFailure(kind, message: "as the test says")
        }
    }

    func fetch(_ address: String) async throws(ImageFailure) -> Picture {
        let isAbsent = state.withLock { state in
            state.fetched.append(address)
            state.absences -= 1
            return state.absences >= 0
        }
        if isAbsent { throw ImageFailure(.unfetched, message: "as the test says", retryAfter: retryAfter) }
        guard let picture = Picture(Self.png(address)) else { throw ImageFailure(.unusable, message: "test") }
        return picture
    }

    /// The first bytes tell a PNG; the rest tells the prompts apart.
    static func png(_ text: String) -> [UInt8] { [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + Array(text.utf8) }
}

/// agent-center's money as it promises to be: what is held under a ticket is paid once.
final class RememberingBudget: PictureBudget {
    private struct State {
        /// Steps by ticket.
        var held: [UUID: String] = [:]
        var settled: [UUID: String] = [:]
        var released: [String] = []
        var left: Int
    }
    private let state: Lock<State>

    /// - Parameter pictures: how many the budget has room for.
    init(pictures: Int = 100) { state = Lock(State(left: pictures)) }

    var settled: [String] { state.withLock { $0.settled.values.sorted() } }
    var released: [String] { state.withLock { $0.released.sorted() } }
    var open: [String] { state.withLock { $0.held.values.sorted() } }

    func hold(_ request: SpendingHoldRequest, as principal: Principal) async throws -> SpendingHold {
        try state.withLock { state in
            let ticket = request.ticketId ?? UUID()
            if state.settled[ticket] != nil { return Self.hold(ticket, .settled) }
            if state.held[ticket] != nil { return Self.hold(ticket, .granted) }
            guard state.left > 0 else {
                throw UpstreamProblem(
                    callee: .agentCenter, status: .tooManyRequests,
                    body: ProblemBody(title: "预算已用完", status: 429, code: "budget.exhausted"))
            }
            state.left -= 1
            state.held[ticket] = request.step
            return Self.hold(ticket, .granted)
        }
    }

    private static func hold(_ ticket: UUID, _ state: SpendingHold.State) -> SpendingHold {
        SpendingHold(ticketId: ticket, state: state, amountNano: "300000000", currency: "CNY")
    }

    func settle(_ settlement: SpendingSettlement, as principal: Principal) async throws {
        #expect(settlement.images == 1)
        #expect(settlement.promptSha256.count == 64)
        state.withLock { state in
            state.held[settlement.ticketId] = nil
            state.settled[settlement.ticketId] = settlement.step
        }
    }

    func release(_ release: SpendingRelease, as principal: Principal) async throws {
        state.withLock { state in
            guard state.held.removeValue(forKey: release.ticketId) != nil else { return }
            state.released.append(release.step)
            state.left += 1
        }
    }
}

/// content-center with versions and pictures.
final class RememberingLibrary: ContentCenter, PictureLibrary {
    private struct State {
        var contents: [UUID: Content] = [:]
        var writes: [String: Content] = [:]
        var assets: [String: Asset] = [:]
        var keepFailures: Int
        var modelVersions = 0
    }
    private let state: Lock<State>

    /// - Parameter keepFailures: so many times it is away when a picture comes.
    init(keepFailures: Int = 0) { state = Lock(State(keepFailures: keepFailures)) }

    var assets: Int { state.withLock { $0.assets.count } }
    /// How many contents there are.
    var drafts: Int { state.withLock { $0.contents.count } }
    var newest: Content? { state.withLock { $0.contents.values.max { $0.createdAt < $1.createdAt } } }
    /// How many versions flows have written beside drafts.
    var modelVersions: Int { state.withLock { $0.modelVersions } }

    func saveDraft(_ draft: NewContent, as principal: Principal) async throws -> Content {
        state.withLock { state in
            let key = "\(CallContext.current?.operationId?.uuidString ?? "") \(draft.step)"
            if let known = state.writes[key] { return known }
            let content = Content(
                id: UUID(), status: .draft, version: 1, title: draft.title, body: draft.body, source: draft.source,
                author: principal.subject, createdAt: Date(), updatedAt: Date())
            state.contents[content.id] = content
            state.writes[key] = content
            return content
        }
    }

    func keep(_ picture: Picture, as principal: Principal) async throws -> Asset {
        try state.withLock { state in
            if state.keepFailures > 0 {
                state.keepFailures -= 1
                throw UpstreamUnavailable(callee: .contentCenter, reason: "down")
            }
            let hash = Hex.encode(SHA256.hash(picture.bytes))
            let asset =
                state.assets[hash]
                ?? Asset(
                    id: UUID(), mediaType: picture.type.rawValue, size: picture.bytes.count, sha256: hash, createdAt: Date())
            state.assets[hash] = asset
            return asset
        }
    }

    func content(_ id: UUID, as principal: Principal) async throws -> Content {
        try #require(state.withLock { $0.contents[id] })
    }

    func saveVersion(_ version: NewVersion, of id: UUID, ifMatch: String, as principal: Principal) async throws -> Content {
        try state.withLock { state in
            let key = "\(CallContext.current?.operationId?.uuidString ?? "") \(version.step)"
            if let known = state.writes[key] { return known }
            guard let before = state.contents[id] else { throw NotFound() }
            guard "\"\(before.version)\"" == ifMatch else {
                throw UpstreamProblem(
                    callee: .contentCenter, status: .preconditionFailed,
                    body: ProblemBody(title: "内容已被修改", status: 412, code: "content.version_conflict"))
            }
            let content = Content(
                id: id, status: .draft, version: before.version + 1, title: before.title, body: version.body,
                source: version.source, author: principal.subject, createdAt: before.createdAt, updatedAt: Date())
            state.contents[id] = content
            state.writes[key] = content
            state.modelVersions += 1
            return content
        }
    }

    /// A person's edit of an image-text.
    func edit(_ id: UUID, _ change: (inout ImageTextBody) -> Void) {
        state.withLock { state in
            guard var content = state.contents[id], case .imageText(var body) = content.body else { return }
            change(&body)
            content.body = .imageText(body)
            content.version += 1
            state.contents[id] = content
        }
    }
}

/// agent-center's writers: the same text per operation.
final class RememberingTextWriter: AgentCenter {
    private let state = Lock<(calls: Int, imageTexts: [ImageTextWritingRequest], scripts: [VideoScriptWritingRequest])>(
        (0, [], []))

    var imageTexts: [ImageTextWritingRequest] { state.withLock { $0.imageTexts } }
    var scripts: [VideoScriptWritingRequest] { state.withLock { $0.scripts } }

    func writeImageText(_ request: ImageTextWritingRequest, as principal: Principal) async throws -> ImageTextWritingAnswer {
        state.withLock { $0.imageTexts.append(request) }
        return .sample(slots: request.slots)
    }

    func writeVideoScript(
        _ request: VideoScriptWritingRequest, as principal: Principal
    ) async throws -> VideoScriptWritingAnswer {
        state.withLock { $0.scripts.append(request) }
        return .sample
    }
}

extension ImageTextWritingAnswer {
    static func sample(slots: Int) -> ImageTextWritingAnswer {
        ImageTextWritingAnswer(
            imageText: ImageTextText(
                title: "猫砂盆怎么选", text: "正文", hashtags: ["养猫"], callToAction: "收藏",
                slots: (1...slots).map { ImageSlotText(caption: "图说 \($0)", alt: "替代 \($0)", prompt: "prompt \($0)") }),
            findings: [], checks: [], provider: "deepseek", modelName: "deepseek-v4-flash", degraded: false, degradedReason: nil,
            usage: TokenUsage(promptTokens: 300, completionTokens: 90, costNano: "1234567", currency: "CNY"),
            promptVersion: "image_text@1", latencyMs: 640)
    }
}

extension VideoScriptWritingAnswer {
    static let sample = VideoScriptWritingAnswer(
        script: VideoScript(
            hook: "别再买错了",
            scenes: [
                VideoScene(
                    index: 1, startSecond: 0, durationSeconds: 10, shot: "特写", camera: "推进", visual: "猫看镜头", line: "你家猫砂盆，还臭吗？",
                    subtitle: "还臭吗", bgm: "轻快", props: ["猫砂盆"])
            ], cta: "关注我", hashtags: ["养猫"], totalSeconds: 10), findings: [], checks: [], provider: "template",
        modelName: "template", degraded: true, degradedReason: "no_model_configured",
        usage: TokenUsage(promptTokens: 0, completionTokens: 0, costNano: "0", currency: "CNY"), promptVersion: "video_script@1",
        latencyMs: 3)
}
