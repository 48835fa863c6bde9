import FoundationEssentials
import ServiceDefaults

/// Who looks at assets.
///
/// What a closing material has that is made for some roles is for them alone, over whichever route: an asset that materials with an audience
/// have is there for whoever sees one of the materials that have it, for who has brought it, for reviewers of materials and for our own work.
/// What a media job makes of an asset is there for no more people than the asset, besides who ordered it.
/// What a content shows is there for everybody, since contents have no audience; nobody puts into a content or a material what is not there for
/// them.
///
/// What orchestration does for nobody in particular goes to customers: an asset that materials have is there for it where customers may be
/// shown one of those, where a content shows it, and where it has brought it itself. For a user it does what that user may.
struct AssetViewer: Sendable, Equatable {
    var tenantId: UUID
    var subject: String
    var roles: [String] = []
    /// Reviews materials.
    var seesAllAudiences = false

    /// A service at work for nobody in particular.
    var isService: Bool { subject.hasPrefix("service:") }
    /// As ``MaterialViewer``.
    var seesCustomerFacingOnly: Bool { subject == Self.orchestration }
    var seesEverything: Bool { !seesCustomerFacingOnly && (seesAllAudiences || isService) }

    /// Its tokens are signed: nobody else has this name.
    private static let orchestration = "service:\(ServiceName.orchestrationService.rawValue)"
}

extension Author {
    var viewer: AssetViewer {
        AssetViewer(tenantId: tenantId, subject: subject, roles: roles, seesAllAudiences: seesAllAudiences)
    }
}
