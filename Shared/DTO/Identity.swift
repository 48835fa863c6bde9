public import FoundationEssentials

/// `POST /api/auth/login`.
public struct LoginRequest: Codable, Sendable, Equatable {
    public var email: String
    public var password: String
    /// Which of the user's tenants the token is for; needed only when there are several.
    public var tenantId: UUID?

    public init(email: String, password: String, tenantId: UUID? = nil) {
        self.email = email
        self.password = password
        self.tenantId = tenantId
    }
}

/// The answer of `POST /api/auth/login`.
public struct LoginAnswer: Codable, Sendable, Equatable {
    public var accessToken: String
    /// Always `Bearer`.
    public var tokenType: String
    /// Seconds.
    public var expiresIn: Int
    public var tenantId: UUID
    public var userId: UUID
    public var roles: [String]

    public init(accessToken: String, tokenType: String, expiresIn: Int, tenantId: UUID, userId: UUID, roles: [String]) {
        self.accessToken = accessToken
        self.tokenType = tokenType
        self.expiresIn = expiresIn
        self.tenantId = tenantId
        self.userId = userId
        self.roles = roles
    }
}
