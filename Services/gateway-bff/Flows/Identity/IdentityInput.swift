import DTO
import HTTPCore

enum IdentityInput {
    /// `email` up to 254 characters (RFC 5321 §4.5.3.1.3), `password` up to 128, `tenantId` where the user has several.
    static func login(_ json: JSONValue) throws -> LoginRequest {
        var fields = FieldReader(json)
        let email = fields.text("email", length: 3...254)
        let password = fields.text("password", length: 1...128)
        let tenantId = fields.optionalUUID("tenantId")
        try fields.finish()
        return LoginRequest(email: email, password: password, tenantId: tenantId)
    }
}
