import HTTPCore
import HTTPServing
import Observability
import PostgresStore
import ServiceDefaults

extension Caller {
    /// - Throws: where the request carries no verified principal.
    init(of request: Request) throws {
        let principal = try request.principal
        self.init(
            tenantId: principal.tenantId, subject: principal.subject,
            // A caller that names no operation cannot repeat one either.
            operationId: CallContext.current?.operationId ?? .version7(), deadline: request.deadline)
    }
}

extension NoTextFits: HTTPFailure {
    var problem: ProblemDescription {
        ProblemDescription(
            status: .unprocessableContent, code: "texts.no_text_fits",
            title: LocalizedText(zh: "在给定的字数与禁用词下写不出文本", en: "No text fits the lengths and the banned words"))
    }
}
