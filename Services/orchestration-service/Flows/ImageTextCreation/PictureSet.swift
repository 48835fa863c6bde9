import DTO
import FoundationEssentials
import HTTPCore
import ServiceDefaults

/// Pictures of one image-text: some at a time, then all into one version.
struct PictureSet: Sendable {
    /// What became of a picture.
    enum Result: Sendable, Equatable {
        case made(assetId: UUID)
        case failed(FlowProblem)
    }

    /// What a content said at a version.
    struct Reading: Sendable {
        var version: Int
        var body: ImageTextBody
    }

    let contentId: UUID
    let platform: ContentPlatform
    /// What is to be made, by the slot's index.
    let prompts: [Int: String]
    let shape: ImageShape
    let pictures: PictureMaking

    /// Image services allow a few at once only.
    static let atOnce = 3

    /// - Returns: by the slot's index.
    func make(in run: RunContext) async throws -> [Int: Result] {
        let results = try await prompts.keys.sorted().mapConcurrently(atMost: Self.atOnce) { index in
            (index, try await picture(index, run))
        }
        return Dictionary(uniqueKeysWithValues: results)
    }

    private func picture(_ index: Int, _ run: RunContext) async throws -> Result {
        let order = PictureOrder(number: index + 1, platform: platform, prompt: prompts[index] ?? "", shape: shape)
        do {
            return .made(
                assetId: try await run.step(PictureMaking.step(order.number)) {
                    StepResult(value: try await pictures(order, in: run), contentId: contentId)
                })
        } catch let failure as FlowFailure {
            return .failed(failure.flowProblem)
        }
    }

    /// What has been made so far, whatever its step says.
    func made(in run: RunContext) async throws -> [Int: Result] {
        try await pictures.attempts.kept(in: run.id, of: run.principal.tenantId).reduce(into: [:]) { results, kept in
            results[kept.number - 1] = .made(assetId: kept.assetId)
        }
    }

    // MARK: Linking

    /// Puts the pictures into the newest version: an editor who was faster keeps his words. A slot whose prompt is another by now gets no
    /// picture; its asset stays in the library.
    ///
    /// - Parameter known: what the content said last, as far as the flow knows.
    /// - Returns: the newest version then; `nil` where there is nothing to put into what is known.
    func link(
        _ results: [Int: Result], into known: Reading?, _ contentCenter: any ContentCenter, as principal: Principal
    ) async throws -> Content? {
        let numbers = results.filter { if case .made = $0.value { true } else { false } }.keys.sorted().map { "\($0 + 1)" }
        // Where no picture came about there are only problems to note: whoever wrote the version before stays its source.
        var newest = numbers.isEmpty ? nil : known
        var source = VersionSource(kind: .model, name: pictures.images.model.name)
        var attempts = 0
        while true {
            let reading: Reading
            if let newest {
                reading = newest
            } else {
                let content = try await contentCenter.content(contentId, as: principal)
                guard case .imageText(let body) = content.body else { return content }
                reading = Reading(version: content.version, body: body)
                if linked(results, into: body) == body { return content }
                if numbers.isEmpty { source = content.source }
            }
            let body = linked(results, into: reading.body)
            guard body != reading.body else { return nil }
            // The same pictures make one version, however often they are linked.
            let version = NewVersion(
                step: (["pictures"] + numbers).joined(separator: "-"), body: .imageText(body),
                source: source)
            do {
                return try await contentCenter.saveVersion(
                    version, of: contentId, ifMatch: "\"\(reading.version)\"", as: principal)
            } catch let problem as UpstreamProblem where problem.code == "content.version_conflict" && attempts < 5 {
                attempts += 1
                newest = nil
            }
        }
    }

    func linked(_ results: [Int: Result], into body: ImageTextBody) -> ImageTextBody {
        var body = body
        for (index, result) in results.sorted(by: { $0.key < $1.key }) {
            guard let prompt = prompts[index] else { continue }
            let isFree = { (slot: ImageSlot) in slot.assetId == nil && slot.prompt == prompt }
            // Where an editor has moved it, it is found by its prompt.
            let places = [index].filter { body.slots.indices.contains($0) } + body.slots.indices
            guard let place = places.first(where: { isFree(body.slots[$0]) }) else { continue }
            switch result {
            case .made(let assetId): (body.slots[place].assetId, body.slots[place].problem) = (assetId, nil)
            case .failed(let problem): body.slots[place].problem = String(problem.title.prefix(200))
            }
        }
        return body
    }
}
