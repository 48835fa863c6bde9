/// What a caller may do. The names travel as `scopes` in the signed context, so that each service can check again.
enum Permission: String, CaseIterable, Sendable {
    case generateTitles = "titles:generate"
    case generateCopies = "copies:generate"
    case generateImageTexts = "image_texts:generate"
    case generateVideoScripts = "video_scripts:generate"
    case readRuns = "runs:read"
    case cancelRuns = "runs:cancel"
    case readContents = "contents:read"
    case writeContents = "contents:write"
    /// To release what others wrote for publishing.
    case approveContents = "contents:approve"
    /// To release what one wrote oneself.
    case approveOwnContents = "contents:approve_own"
    case readMaterials = "materials:read"
    case writeMaterials = "materials:write"
    /// To let a closing material be offered.
    case approveMaterials = "materials:approve"
    case readVocabulary = "vocabulary:read"
    case writeVocabulary = "vocabulary:write"
    case callModels = "ai:generate"
    case readUsage = "ai:usage"
    case administerModels = "ai:admin"
    case readPrompts = "prompts:read"
    case writePrompts = "prompts:write"
    /// To take out or to erase everything that the tenant has.
    case manageTenant = "tenant:manage"
    case manageAPIKeys = "api_keys:manage"
    case readStream = "stream:read"

    /// Whether an API key may carry it. A leaked key must not be able to make further keys, to lift its own budget, or to erase.
    var isGrantableToKeys: Bool { ![.manageAPIKeys, .administerModels, .manageTenant].contains(self) }
}

/// The roles of seed 001 §3.2 (系统管理员 / 企业管理员 / 运营 / 访客), each a set of permissions.
enum Role: String, CaseIterable, Sendable {
    case systemAdmin = "system_admin"
    case tenantAdmin = "tenant_admin"
    case operator_ = "operator"
    case viewer

    var permissions: Set<Permission> {
        switch self {
        // Who writes hands in; who answers for the house approves.
        case .systemAdmin, .tenantAdmin: Set(Permission.allCases)
        case .operator_:
            Set(Permission.allCases).subtracting([
                .administerModels, .manageAPIKeys, .approveContents, .approveOwnContents, .approveMaterials,
                .manageTenant,
            ])
        case .viewer: [.readContents, .readMaterials, .readPrompts, .readRuns, .readUsage, .readVocabulary, .readStream]
        }
    }
}

/// The permissions of a set of role names. A name that this version does not know grants nothing.
func permissions(ofRoles names: [String]) -> Set<Permission> {
    names.compactMap(Role.init(rawValue:)).reduce(into: []) { $0.formUnion($1.permissions) }
}
