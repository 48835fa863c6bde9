import DTO

/// What a platform asks of a title, as data.
///
/// No platform states its title limit on a page that we could read, and publishing tools differ (for Douyin: "treat as soft limits",
/// reference `douyin-openapi.md` §2.3). The limits below are therefore defaults that a caller may overrule, and never a cut.
struct PlatformRules: Equatable {
    /// Longest title in grapheme clusters.
    let titleLength: Int
    /// Words that get a title refused or hidden there, beside those of advertising law, which agent-center scores everywhere.
    let bannedWords: [String]

    static func of(_ platform: ContentPlatform) -> PlatformRules {
        switch platform {
        // 30: connectors refuse or cut a 31st character (`field-and-traps.md` A19; `douyin-openapi.md` §2.3: 12–30).
        case .douyin: PlatformRules(titleLength: 30, bannedWords: leadingAway)
        // 20: the title field of a note, as publishing tools hold it.
        case .xiaohongshu: PlatformRules(titleLength: 20, bannedWords: leadingAway)
        // 16: the short title of 6–16 characters, as publishing tools hold it. WeChat's own names lead nowhere else.
        case .wechatChannels: PlatformRules(titleLength: 16, bannedWords: ["转发到朋友圈", "分享到群"])
        // 30: as publishing tools hold it; there is no title field, the caption's first line serves.
        case .kuaishou: PlatformRules(titleLength: 30, bannedWords: leadingAway)
        // 80: the upload form's limit, as publishing tools hold it.
        case .bilibili: PlatformRules(titleLength: 80, bannedWords: leadingAway)
        // 30: a post has no title field; what stands in 【】 before it, as people keep it. 微博 hides what leads to WeChat.
        case .weibo: PlatformRules(titleLength: 30, bannedWords: leadingAway)
        // 64: the article editor's limit. 微信 is at home here; only urging people to share or follow is sanctioned (诱导分享).
        case .wechatOfficial: PlatformRules(titleLength: 64, bannedWords: ["转发到朋友圈", "分享到群", "不转不是"])
        // 50: the article form's limit, as publishing tools hold it.
        case .zhihu: PlatformRules(titleLength: 50, bannedWords: leadingAway)
        }
    }

    /// Leading people off the platform (站外引流) hides a work on each of them.
    private static let leadingAway = ["加微信", "微信号", "薇信", "加VX", "扫二维码"]
}
