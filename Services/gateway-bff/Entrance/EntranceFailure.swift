import ConcurrencySupport
import HTTPCore
import HTTPServing

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

extension HTTPStatus {
    /// What the router makes, or has made already, of an error that leaves a handler.
    init(answering error: any Error, to request: Request) {
        self =
            switch error {
            case let failure as any HTTPFailure: failure.problem.status
            case is DeadlineExceeded: .gatewayTimeout
            // The client has had its 504, and the handler was told to stop.
            case is CancellationError where request.deadline.isPast: .gatewayTimeout
            case is CancellationError: HTTPStatus(499)
            default: .internalServerError
            }
    }
}
