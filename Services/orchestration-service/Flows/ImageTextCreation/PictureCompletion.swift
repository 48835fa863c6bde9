import DTO
import FoundationEssentials
import HTTPCore
import ServiceDefaults

/// Pictures that an image-text still lacks, because a person asks for them: after the budget was raised, a prompt was changed, or he has
/// looked whether the picture that nobody is sure of was made. Nothing asks twice by itself (law 1); this is the person's way.
struct PictureCompletion: DurableFlow {
    static let name = "PictureCompletion"
    static let permissions = ImageTextCreation.permissions
    static let readStep = "prompts"

    static let closingSteps: Set = [PictureSet.linkStep]

    let contentCenter: any ContentCenter
    let pictures: PictureMaking?

    static func steps(for order: PictureCompletionOrder) -> [String] {
        [readStep] + order.slots.map(PictureMaking.step) + [PictureSet.linkStep]
    }

    func run(_ order: PictureCompletionOrder, in run: RunContext) async throws -> ImageTextPicturesAnswer {
        guard let pictures else { throw PictureCompletionError.noImageService }
        let asked = try await run.step(Self.readStep) { try await prompts(order, run) }
        let set = PictureSet(
            contentId: order.contentId, platform: asked.platform,
            prompts: Dictionary(uniqueKeysWithValues: zip(order.slots.map { $0 - 1 }, asked.prompts)),
            shape: order.imageShape ?? ImageShape.usual(on: asked.platform), pictures: pictures)
        let linked = try await set.madeAndLinked(into: nil, contentCenter, in: run) {
            ImageTextPicturesAnswer($0, runId: run.id)
        }
        if let linked, let answer = linked { return answer }
        let content = try await contentCenter.content(order.contentId, as: run.principal)
        guard let answer = ImageTextPicturesAnswer(content, runId: run.id) else { throw PictureCompletionError.otherKind }
        return answer
    }

    private struct Asked: Codable, Sendable {
        var platform: ContentPlatform
        /// In the order of the slots that were asked for.
        var prompts: [String]
    }

    private func prompts(_ order: PictureCompletionOrder, _ run: RunContext) async throws -> StepResult<Asked> {
        let content = try await contentCenter.content(order.contentId, as: run.principal)
        guard case .imageText(let body) = content.body else { throw PictureCompletionError.otherKind }
        let refused = order.slots.enumerated().filter {
            !body.slots.indices.contains($0.element - 1) || body.slots[$0.element - 1].assetId != nil
        }
        guard refused.isEmpty else { throw PictureCompletionError.notOpen(refused.map(\.offset)) }
        return StepResult(
            value: Asked(platform: body.platform, prompts: order.slots.map { body.slots[$0 - 1].prompt }), contentId: content.id)
    }
}

/// What a person asked for, checked: see `PictureCompletionInput`.
struct PictureCompletionOrder: Codable, Sendable, Equatable {
    var contentId: UUID
    /// From 1, each once, in their order.
    var slots: [Int]
    var imageShape: ImageShape?
}

enum PictureCompletionError: HTTPFailure, Equatable {
    case noImageService
    case otherKind
    /// By their places in the request.
    case notOpen([Int])

    var problem: ProblemDescription {
        switch self {
        case .noImageService:
            ProblemDescription(
                status: .conflict, code: "image.no_service",
                title: LocalizedText(zh: "没有配置图片服务", en: "No image service is set"))
        case .otherKind:
            ProblemDescription(
                status: .conflict, code: "content.other_kind",
                title: LocalizedText(zh: "该内容不是图文", en: "The content is no image-text"))
        case .notOpen(let places):
            ValidationFailure(
                places.map {
                    FieldIssue(
                        pointer: "/slots/\($0)", code: "not_open",
                        message: LocalizedText(zh: "没有这个图位，或已有图片", en: "there is no such slot, or it has its picture"))
                }
            ).problem
        }
    }
}

extension ImageTextPicturesAnswer {
    /// - Returns: `nil` for a content of another kind.
    init?(_ content: Content, runId: UUID) {
        guard case .imageText(let body) = content.body else { return nil }
        self.init(
            contentId: content.id, status: content.status, completeness: content.completeness, version: content.version,
            runId: runId, body: body)
    }
}
