/// What a title promises that only its text can keep: so many points, a list, steps, a result, something that somebody lived through. A
/// text of the templates has none of them, so no title with one stands over it.
enum TitlePromise {
    private static let signs = [
        "{n}", "我", "几", "步", "招", "清单", "教程", "误区", "盘点", "结论", "结果", "答案", "对比", "前后", "日记", "故事", "笔记", "揭秘", "真相", "秘密", "悄悄",
        "碎碎念", "记录",
        "视频", "手把手", "干货", "硬核", "附思路", "那些事", "之后", "后悔", "真香", "朋友", "深夜", "最近", "改观", "意外", "细节", "小心思", "窍门", "门道", "知道",
        "原来",
    ]

    /// - Parameter wording: with its slots; what a brief fills them with is not the template's promise.
    static func stands(in wording: String) -> Bool { signs.contains { wording.contains($0) } }
}
