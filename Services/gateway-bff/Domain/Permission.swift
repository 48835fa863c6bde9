/// What a caller may do. The names travel as `scopes` in the signed context, so that each service can check again.
enum Permission: String, CaseIterable, Sendable {
    case generateTitles = "titles:generate"
    case readContents = "contents:read"
    case writeContents = "contents:write"
    case readStream = "stream:read"
}

/// The roles of seed 001 §3.2 (系统管理员 / 企业管理员 / 运营 / 访客), each a set of permissions.
enum Role: String, CaseIterable, Sendable {
    case systemAdmin = "system_admin"
    case tenantAdmin = "tenant_admin"
    case operator_ = "operator"
    case viewer

    var permissions: Set<Permission> {
        switch self {
        case .systemAdmin, .tenantAdmin, .operator_: Set(Permission.allCases)
        case .viewer: [.readContents, .readStream]
        }
    }
}

/// The permissions of a set of role names. A name that this version does not know grants nothing.
func permissions(ofRoles names: [String]) -> Set<Permission> {
    names.compactMap(Role.init(rawValue:)).reduce(into: []) { $0.formUnion($1.permissions) }
}
