import DTO
import HTTPCore

enum DocumentedTypes {
    typealias Types = [String: any (Codable & Sendable).Type]

    static let common: Types = [
        "APIKey": APIKey.self, "APIKeyPage": Page<APIKey>.self, "CreatedAPIKey": CreatedAPIKey.self,
        "FieldError": ProblemBody.FieldError.self, "LoginAnswer": LoginAnswer.self, "LoginRequest": LoginRequest.self,
        "NewAPIKey": NewAPIKey.self, "Problem": ProblemBody.self,
    ]
}
