import HTTPCore

/// 403 that names what is missing, so that an administrator knows what to grant.
struct PermissionMissing: HTTPFailure {
    let permission: Permission

    var problem: ProblemDescription {
        ProblemDescription(
            status: .forbidden, code: "auth.permission_missing",
            title: LocalizedText(zh: "没有权限执行此操作", en: "You are not allowed to do this"),
            detail: LocalizedText(zh: "需要权限 \(permission.rawValue)", en: "The permission \(permission.rawValue) is needed"))
    }
}

/// A failure whose description was completed on its way out.
struct DescribedFailure: HTTPFailure {
    let problem: ProblemDescription
}
