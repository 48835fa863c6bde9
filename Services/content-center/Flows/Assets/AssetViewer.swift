import FoundationEssentials

/// Who looks at assets.
///
/// What a closing material has that is made for some roles is for them alone, over whichever route: an asset that materials with an audience
/// have is there for whoever sees one of the materials that have it, for who has brought it, for reviewers of materials and for our own work.
/// What a media job makes of an asset is there for no more people than the asset, besides who ordered it.
/// What a content shows is there for everybody, since contents have no audience; nobody puts into a content or a material what is not there for
/// them.
struct AssetViewer: Sendable, Equatable {
    var tenantId: UUID
    var subject: String
    var roles: [String] = []
    /// Reviews materials.
    var seesAllAudiences = false

    /// A service at work for nobody in particular.
    var isService: Bool { subject.hasPrefix("service:") }
    var seesEverything: Bool { seesAllAudiences || isService }
}

extension Author {
    var viewer: AssetViewer {
        AssetViewer(tenantId: tenantId, subject: subject, roles: roles, seesAllAudiences: seesAllAudiences)
    }
}
