public import FoundationEssentials

// The closing materials of a tenant (成交素材库): what helps a deal to its end, and what became of it.

public enum MaterialKind: String, Codable, Sendable, CaseIterable {
    case caseStudy = "case"
    case priceList = "price_list"
    case testimonial, script, file
}

public enum MaterialStatus: String, Codable, Sendable, CaseIterable {
    case draft, approved, rejected
}

/// A material, as `GET /api/materials/{id}` shows it. What became of it stands in ``MaterialOutcomes``: it is no part of what was approved.
public struct Material: Codable, Sendable, Equatable {
    public var id: UUID
    public var kind: MaterialKind
    public var title: String
    public var text: String?
    /// The files, in their order.
    public var assetIds: [UUID]
    /// What it fits; an empty list fits everything.
    public var stages: [String]
    public var industries: [String]
    public var products: [String]
    public var objections: [String]
    /// The roles that see it; empty = everybody who may read materials.
    public var audience: [String]
    /// Whether a customer may be shown it.
    public var customerFacing: Bool
    public var status: MaterialStatus
    /// What the reviewer said.
    public var reviewNote: String?
    public var reviewedBy: String?
    public var reviewedAt: Date?
    /// From then on it is offered no more.
    public var expiresAt: Date?
    /// Counts its changes.
    public var version: Int
    public var createdBy: String
    public var updatedBy: String
    public var createdAt: Date
    public var updatedAt: Date
    /// There only for what lies in the bin.
    public var deletedAt: Date?
    /// Where the rights of its files stand at the moment of asking, of the worst of them; none where it has no files.
    public var rightsState: AssetRightsState?

    public init(
        id: UUID, kind: MaterialKind, title: String, text: String?, assetIds: [UUID], stages: [String], industries: [String],
        products: [String], objections: [String], audience: [String], customerFacing: Bool, status: MaterialStatus,
        reviewNote: String?, reviewedBy: String?, reviewedAt: Date?, expiresAt: Date?, version: Int, createdBy: String,
        updatedBy: String, createdAt: Date, updatedAt: Date, deletedAt: Date?
    ) {
        self.id = id
        self.kind = kind
        self.title = title
        self.text = text
        self.assetIds = assetIds
        self.stages = stages
        self.industries = industries
        self.products = products
        self.objections = objections
        self.audience = audience
        self.customerFacing = customerFacing
        self.status = status
        self.reviewNote = reviewNote
        self.reviewedBy = reviewedBy
        self.reviewedAt = reviewedAt
        self.expiresAt = expiresAt
        self.version = version
        self.createdBy = createdBy
        self.updatedBy = updatedBy
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.deletedAt = deletedAt
    }
}

/// `POST /api/materials`. A file names its assets; anything else has a text or names some.
public struct NewMaterial: Codable, Sendable, Equatable {
    public var kind: MaterialKind
    /// 1–200 characters.
    public var title: String
    /// 1–20,000 characters.
    public var text: String?
    /// At most 20 that are ready.
    public var assetIds: [UUID]?
    /// Each list at most 20 of 1–50 characters.
    public var stages: [String]?
    public var industries: [String]?
    public var products: [String]?
    public var objections: [String]?
    public var audience: [String]?
    /// `false` when absent.
    public var customerFacing: Bool?
    public var expiresAt: Date?

    public init(
        kind: MaterialKind, title: String, text: String? = nil, assetIds: [UUID]? = nil, stages: [String]? = nil,
        industries: [String]? = nil, products: [String]? = nil, objections: [String]? = nil, audience: [String]? = nil,
        customerFacing: Bool? = nil, expiresAt: Date? = nil
    ) {
        self.kind = kind
        self.title = title
        self.text = text
        self.assetIds = assetIds
        self.stages = stages
        self.industries = industries
        self.products = products
        self.objections = objections
        self.audience = audience
        self.customerFacing = customerFacing
        self.expiresAt = expiresAt
    }
}

/// `PATCH /api/materials/{id}`, a JSON merge patch; lists are replaced whole. What was approved or rejected is a draft again.
public struct MaterialPatch: Codable, Sendable, Equatable {
    public var title: String?
    public var text: Nullable<String>?
    public var assetIds: [UUID]?
    public var stages: [String]?
    public var industries: [String]?
    public var products: [String]?
    public var objections: [String]?
    public var audience: [String]?
    public var customerFacing: Bool?
    /// An RFC 3339 time.
    public var expiresAt: Nullable<String>?

    public init(
        title: String? = nil, text: Nullable<String>? = nil, assetIds: [UUID]? = nil, stages: [String]? = nil,
        industries: [String]? = nil, products: [String]? = nil, objections: [String]? = nil, audience: [String]? = nil,
        customerFacing: Bool? = nil, expiresAt: Nullable<String>? = nil
    ) {
        self.title = title
        self.text = text
        self.assetIds = assetIds
        self.stages = stages
        self.industries = industries
        self.products = products
        self.objections = objections
        self.audience = audience
        self.customerFacing = customerFacing
        self.expiresAt = expiresAt
    }

    /// Written out because a synthesized one reads `null` as absent.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        title = try container.decodeIfPresent(String.self, forKey: .title)
        text = container.contains(.text) ? try container.decode(Nullable<String>.self, forKey: .text) : nil
        assetIds = try container.decodeIfPresent([UUID].self, forKey: .assetIds)
        stages = try container.decodeIfPresent([String].self, forKey: .stages)
        industries = try container.decodeIfPresent([String].self, forKey: .industries)
        products = try container.decodeIfPresent([String].self, forKey: .products)
        objections = try container.decodeIfPresent([String].self, forKey: .objections)
        audience = try container.decodeIfPresent([String].self, forKey: .audience)
        customerFacing = try container.decodeIfPresent(Bool.self, forKey: .customerFacing)
        expiresAt = container.contains(.expiresAt) ? try container.decode(Nullable<String>.self, forKey: .expiresAt) : nil
    }
}

/// What became of a material, as `GET /api/materials/{id}/outcomes` shows it.
public struct MaterialOutcomes: Codable, Sendable, Equatable {
    public var sent: Int
    public var opened: Int
    public var won: Int
    /// 0–1,000: how well it does, and how lately.
    public var score: Int
    public var lastWonAt: Date?

    public init(sent: Int, opened: Int, won: Int, score: Int, lastWonAt: Date?) {
        self.sent = sent
        self.opened = opened
        self.won = won
        self.score = score
        self.lastWonAt = lastWonAt
    }
}

/// `POST /api/materials/{id}/outcomes`
public struct NewMaterialOutcome: Codable, Sendable, Equatable {
    public enum Outcome: String, Codable, Sendable, CaseIterable {
        case sent, opened, won
    }
    public var outcome: Outcome
    /// Of what happened: the same event and outcome count once. The operation's id when absent.
    public var eventId: UUID?
    /// Whose it was, in the words of whoever tells; 1–200 characters.
    public var customerRef: String?
    /// 1–200 characters; what was sent in a conversation is not recommended there again.
    public var conversationRef: String?

    public init(outcome: Outcome, eventId: UUID? = nil, customerRef: String? = nil, conversationRef: String? = nil) {
        self.outcome = outcome
        self.eventId = eventId
        self.customerRef = customerRef
        self.conversationRef = conversationRef
    }
}

/// A line of `GET /api/materials`.
public struct MaterialEntry: Codable, Sendable, Equatable {
    public var material: Material
    public var outcomes: MaterialOutcomes

    public init(material: Material, outcomes: MaterialOutcomes) {
        self.material = material
        self.outcomes = outcomes
    }
}

/// `GET /api/materials/recommended`, the best first.
public struct MaterialRecommendations: Codable, Sendable, Equatable {
    public var items: [MaterialRecommendation]

    public init(items: [MaterialRecommendation]) { self.items = items }
}

public struct MaterialRecommendation: Codable, Sendable, Equatable {
    public var material: Material
    public var outcomes: MaterialOutcomes
    /// What speaks for it, in Chinese; first what speaks against it: a file whose rights have ended.
    public var reasons: [String]

    public init(material: Material, outcomes: MaterialOutcomes, reasons: [String]) {
        self.material = material
        self.outcomes = outcomes
        self.reasons = reasons
    }
}

/// `data` of `material.changed.v1`; subject is the material's id.
public struct MaterialChanged: Codable, Sendable, Equatable {
    public static let type = "material.changed.v1"

    public enum Action: String, Codable, Sendable, CaseIterable {
        case created, edited, approved, rejected, deleted, restored
    }

    public var materialId: UUID
    /// A ``MaterialKind``'s raw value; consumers pass over kinds that they do not know yet.
    public var kind: String
    /// Absent where the material is for some roles only: everybody hears of events.
    public var title: String?
    public var action: Action
    public var status: MaterialStatus
    public var customerFacing: Bool
    public var expiresAt: Date?

    public init(
        materialId: UUID, kind: String, title: String?, action: Action, status: MaterialStatus, customerFacing: Bool,
        expiresAt: Date?
    ) {
        self.materialId = materialId
        self.kind = kind
        self.title = title
        self.action = action
        self.status = status
        self.customerFacing = customerFacing
        self.expiresAt = expiresAt
    }
}

/// `data` of `material.expiring.v1`, told once of each end that comes near; subject is the material's id.
public struct MaterialExpiring: Codable, Sendable, Equatable {
    public static let type = "material.expiring.v1"

    public var materialId: UUID
    /// As in ``MaterialChanged``.
    public var kind: String
    /// As in ``MaterialChanged``.
    public var title: String?
    public var expiresAt: Date

    public init(materialId: UUID, kind: String, title: String?, expiresAt: Date) {
        self.materialId = materialId
        self.kind = kind
        self.title = title
        self.expiresAt = expiresAt
    }
}
