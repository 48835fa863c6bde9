import DTO

// What people call states, kinds and actions; the wire keeps their identifiers.

extension ContentStatus {
    var chineseName: String {
        switch self {
        case .draft: "草稿"
        case .inReview: "审核中"
        case .changesRequested: "待修改"
        case .approved: "已通过"
        case .onHold: "已搁置"
        case .scheduled: "已排期"
        case .queued: "排队中"
        case .publishing: "发布中"
        case .waitingUserAction: "待用户操作"
        case .unconfirmed: "结果待确认"
        case .published: "已发布"
        case .failed: "发布失败"
        case .canceled: "已取消"
        }
    }

    /// Within an English sentence.
    var englishName: String { rawValue.replacing("_", with: " ") }
}

extension ContentKind {
    var chineseName: String {
        switch self {
        case .titleSet: "标题组"
        case .copy: "文案"
        case .imageText: "图文"
        case .videoScript: "视频脚本"
        case .video: "视频"
        case .replyTemplate: "回复模板"
        }
    }
}

extension MaterialStatus {
    var chineseName: String {
        switch self {
        case .draft: "草稿"
        case .approved: "已通过"
        case .rejected: "已驳回"
        }
    }
}

extension ReviewAction {
    var chineseName: String {
        switch self {
        case .submit: "提交审核"
        case .withdraw: "撤回"
        case .approve: "通过"
        case .requestChanges: "退回修改"
        case .hold: "搁置"
        case .release: "取消搁置"
        }
    }
}
