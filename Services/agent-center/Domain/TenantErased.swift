import HTTPCore

/// The tenant's data was erased for good: no model is asked for it any more, and nothing of it is kept. In the words in which
/// content-center refuses a write.
struct TenantErased: HTTPFailure, Equatable {
    var problem: ProblemDescription {
        ProblemDescription(
            status: .forbidden, code: "tenant.erased",
            title: LocalizedText(zh: "本企业的数据已删除，不能再写入", en: "The tenant was erased; nothing is taken any more"))
    }
}
