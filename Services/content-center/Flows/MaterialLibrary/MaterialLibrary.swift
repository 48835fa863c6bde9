import DTO
import FoundationEssentials

/// What helps a deal to its end (成交素材库, seed 000 flow 17): cases, price lists, testimonials, scripts and files, by what they fit.
///
/// Nothing is offered before somebody has approved exactly this version, and nothing after its end. What is made for some roles is not there
/// for the others. Who speaks with customers gets only what customers may be shown.
struct MaterialLibrary: Sendable {
    let store: MaterialStore

    // MARK: One material

    /// The repeat of an operation answers what it has made.
    func create(_ new: NewMaterial, by author: Author) async throws -> Material {
        try Self.refuseEmpty(new.kind, text: new.text, assetIds: new.assetIds ?? [])
        return try await store.insertOnce(new, by: author)
    }

    func material(_ id: UUID, for viewer: MaterialViewer) async throws -> Material {
        guard let entry = try await store.entry(id, for: viewer) else { throw MaterialError.notFound }
        return entry.material
    }

    /// - Parameter tags: what the editor has seen, as `If-Match` names it.
    func edit(
        _ id: UUID, with edit: MaterialEdit, ifMatch tags: [EntityTag], for viewer: MaterialViewer, by author: Author
    ) async throws -> Material {
        try await change(id, for: viewer, by: author) { before, _ in
            guard tags.contains(where: { $0.names(before) }) else { throw MaterialError.versionConflict }
            var after = edit.applied(to: before)
            guard after != before, let status = MaterialApproval.next(before.status, .edit) else { return nil }
            try Self.refuseEmpty(after.kind, text: after.text, assetIds: after.assetIds)
            after.status = status
            if status != before.status { (after.reviewNote, after.reviewedBy, after.reviewedAt) = (nil, nil, nil) }
            return MaterialChange(after: after, action: .edited)
        }
    }

    /// Approves or rejects the version that the reviewer has read.
    func review(
        _ id: UUID, _ event: MaterialApproval.Event, note: String?, ifMatch tags: [EntityTag], for viewer: MaterialViewer,
        by author: Author
    ) async throws -> Material {
        try await change(id, for: viewer, by: author) { before, now in
            guard tags.contains(where: { $0.names(before) }) else { throw MaterialError.versionConflict }
            guard let status = MaterialApproval.next(before.status, event) else { throw MaterialError.wrongStatus(before.status) }
            var after = before
            after.status = status
            (after.reviewNote, after.reviewedBy, after.reviewedAt) = (note, author.subject, now)
            return MaterialChange(after: after, action: event == .approve ? .approved : .rejected)
        }
    }

    private func change(
        _ id: UUID, for viewer: MaterialViewer, by author: Author, isInBin: Bool = false,
        _ apply: @escaping @Sendable (_ before: Material, _ now: Date) throws -> MaterialChange?
    ) async throws -> Material {
        guard let material = try await store.change(id, for: viewer, by: author, isInBin: isInBin, apply) else {
            throw MaterialError.notFound
        }
        return material
    }

    private static func refuseEmpty(_ kind: MaterialKind, text: String?, assetIds: [UUID]) throws {
        if kind == .file, assetIds.isEmpty { throw MaterialError.noFile }
        if text == nil, assetIds.isEmpty { throw MaterialError.nothingInIt }
    }

    // MARK: The bin

    /// Into the bin, where it lies for 30 days.
    func delete(_ id: UUID, for viewer: MaterialViewer, by author: Author) async throws {
        _ = try await change(id, for: viewer, by: author) { before, now in
            var after = before
            after.deletedAt = now
            return MaterialChange(after: after, action: .deleted)
        }
    }

    /// Takes it back as it was. What is not in the bin stays as it is.
    func restore(_ id: UUID, for viewer: MaterialViewer, by author: Author) async throws -> Material {
        if let entry = try await store.entry(id, for: viewer) { return entry.material }
        return try await change(id, for: viewer, by: author, isInBin: true) { before, _ in
            var after = before
            after.deletedAt = nil
            return MaterialChange(after: after, action: .restored)
        }
    }

    // MARK: Many

    func list(_ filter: MaterialFilter, for viewer: MaterialViewer) async throws -> [RankedMaterial] {
        try await store.list(filter, for: viewer)
    }

    /// The best that fit, with what speaks for each: of what fits equally well that which does best.
    func recommend(_ wish: MaterialWish, for viewer: MaterialViewer) async throws -> MaterialRecommendations {
        let entries = try await store.offered(wish, for: viewer)
        return MaterialRecommendations(
            items: entries.map {
                MaterialRecommendation(
                    material: $0.material, outcomes: $0.outcomes, reasons: wish.reasons(for: $0.material, $0.outcomes))
            })
    }

    // MARK: What became of it

    /// Counts once whatever comes twice.
    func record(
        _ outcome: NewMaterialOutcome, of id: UUID, for viewer: MaterialViewer, by author: Author
    ) async throws -> MaterialOutcomes {
        // A win may come after the end of what was sent.
        let viewer = viewer.seesCustomerFacingOnly ? viewer.lookingBack : viewer
        guard let outcomes = try await store.record(outcome, of: id, for: viewer, by: author) else {
            throw MaterialError.notFound
        }
        return outcomes
    }

    func outcomes(of id: UUID, for viewer: MaterialViewer) async throws -> MaterialOutcomes {
        guard let entry = try await store.entry(id, for: viewer) else { throw MaterialError.notFound }
        return entry.outcomes
    }
}

/// Who looks, and so what is there for them.
struct MaterialViewer: Sendable, Equatable {
    var tenantId: UUID
    var subject: String
    var roles: [String]
    /// Reviewers see what is made for other roles too.
    var seesAllAudiences: Bool
    /// Only what is approved, has not ended, and may be shown to customers.
    var seesCustomerFacingOnly: Bool

    /// Sees what was there for them once.
    var lookingBack: MaterialViewer {
        MaterialViewer(
            tenantId: tenantId, subject: subject, roles: roles, seesAllAudiences: true, seesCustomerFacingOnly: false)
    }
}

/// What becomes of a material.
struct MaterialChange: Sendable {
    var after: Material
    var action: MaterialChanged.Action
}

/// A merge patch.
struct MaterialEdit: Sendable, Equatable {
    var title: String?
    var text: LabelField<String> = .keep
    var assetIds: [UUID]?
    var stages: [String]?
    var industries: [String]?
    var products: [String]?
    var objections: [String]?
    var audience: [String]?
    var customerFacing: Bool?
    var expiresAt: LabelField<Date> = .keep

    func applied(to material: Material) -> Material {
        var after = material
        after.title = title ?? material.title
        after.text = text.applied(to: material.text)
        after.assetIds = assetIds ?? material.assetIds
        after.stages = stages ?? material.stages
        after.industries = industries ?? material.industries
        after.products = products ?? material.products
        after.objections = objections ?? material.objections
        after.audience = audience ?? material.audience
        after.customerFacing = customerFacing ?? material.customerFacing
        after.expiresAt = expiresAt.applied(to: material.expiresAt)
        return after
    }
}

/// What a list shows.
struct MaterialFilter: Sendable, Equatable {
    enum Order: String, CaseIterable, Sendable {
        case newest
        case ranking
    }

    /// What each of them says, all of these.
    var words: [String] = []
    var kind: MaterialKind?
    var status: MaterialStatus?
    var stage: String?
    var industry: String?
    var product: String?
    var objection: String?
    var customerFacing: Bool?
    var isExpired: Bool?
    /// What lies in the bin, instead of what does not.
    var isDeleted = false
    var order = Order.newest
    /// Where the page before ended.
    var after: MaterialPosition?
    var limit: Int
}

/// A place in a list; without a rank in one by age.
struct MaterialPosition: Codable, Sendable, Equatable {
    var rank: Int?
    var id: UUID
}

/// A line of a list, and its place there.
struct RankedMaterial: Sendable, Equatable {
    var entry: MaterialEntry
    var rank: Int
}

/// What somebody needs a material for.
struct MaterialWish: Sendable, Equatable {
    var stage: String?
    var industry: String?
    var product: String?
    var objection: String?
    var kind: MaterialKind?
    /// Not what has been sent there already.
    var conversationRef: String?
    var limit: Int

    /// What speaks for a material, and first what speaks against it, in Chinese.
    func reasons(for material: Material, _ outcomes: MaterialOutcomes) -> [String] {
        let fits = [
            ("适合阶段", stage, material.stages), ("适合行业", industry, material.industries), ("针对产品", product, material.products),
            ("回应异议", objection, material.objections),
        ].compactMap { name, wish, list -> String? in
            guard let wish, list.contains(wish) else { return nil }
            return "\(name)「\(wish)」"
        }
        let use =
            outcomes.sent == 0 && outcomes.opened == 0 && outcomes.won == 0
            ? "尚无使用记录" : "发送 \(outcomes.sent) 次，打开 \(outcomes.opened) 次，成交 \(outcomes.won) 次"
        return (material.rightsState == .expired ? ["附件版权已到期，请勿使用"] : []) + fits + [use]
    }
}

extension EntityTag {
    init(_ material: Material) { self.init(version: material.version) }

    /// Whether `If-Match` means the material as it is.
    func names(_ material: Material) -> Bool { version == material.version && revision == nil }
}
