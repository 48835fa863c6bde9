import HTTPCore

enum IdentityError: HTTPFailure {
    case invalidCredentials
    case tenantRequired

    var problem: ProblemDescription {
        switch self {
        case .invalidCredentials:
            ProblemDescription(
                status: .unauthorized, code: "auth.invalid_credentials",
                title: LocalizedText(zh: "邮箱或密码不正确", en: "The e-mail or the password is wrong"),
                headers: ["WWW-Authenticate": "Bearer"])
        case .tenantRequired:
            ProblemDescription(
                status: .unprocessableContent, code: "auth.tenant_required",
                title: LocalizedText(zh: "请选择要登录的企业", en: "Choose which tenant to sign in to"),
                issues: [
                    FieldIssue(
                        pointer: "/tenantId", code: "required",
                        message: LocalizedText(
                            zh: "该用户属于多个企业，必须指定 tenantId", en: "The user belongs to several tenants; tenantId is required"))
                ])
        }
    }
}
