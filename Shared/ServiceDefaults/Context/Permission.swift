import HTTPCore
public import HTTPServing

extension Request {
    /// For whom this request is made, if the signed context has the permission (a scope such as `contents:write`). The gateway decides
    /// which roles give which permissions; each service checks again.
    ///
    /// - Throws: 401 without a context, 403 `auth.permission_missing`.
    public func principal(with permission: String) throws -> Principal {
        let principal = try principal
        guard principal.scopes.contains(permission) else { throw Forbidden(code: "auth.permission_missing") }
        return principal
    }
}
