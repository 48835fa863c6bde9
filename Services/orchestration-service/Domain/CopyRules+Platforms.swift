import DTO

/// What a platform asks of a copy, as data.
///
/// No platform states these on a page that we could read; they are what its upload form and the common publishing tools hold, and where
/// a form allows much more than people read, our own choice, marked as such. Texts are checked against them, never cut.
extension CopyRules {
    static func of(_ platform: ContentPlatform) -> CopyRules {
        let titleLength = PlatformRules.of(platform).titleLength
        return switch platform {
        case .douyin:
            CopyRules(
                // The form takes 1,000; our choice, because a caption is folded after about three lines.
                titleLength: titleLength, minLength: 20, maxLength: 300,
                // 5: the form takes no sixth topic. At least 1: topics are how works are found there.
                minHashtags: 1, maxHashtags: 5,
                // Links in captions are dead text, and leading off the platform is sanctioned (站外引流).
                emoji: .few, allowsLinks: false,
                voice: "短视频配文：口语，短句，第一句就抛出看点或痛点，像在和朋友说话，结尾引导评论或收藏。")
        case .xiaohongshu:
            CopyRules(
                // 1,000: the note form. At least 100: our choice, a note is read for its details.
                titleLength: titleLength, minLength: 100, maxLength: 1_000,
                // 10: what publishing tools hold; at least 3, our choice, because search goes by topics.
                minHashtags: 3, maxHashtags: 10, emoji: .many, allowsLinks: false,
                voice: "种草笔记：第一人称真实体验，分段清楚，多用表情分点，写具体细节和使用场景，语气亲切不推销。")
        case .wechatChannels:
            CopyRules(
                // The form takes 1,000; our choice, as with Douyin. Its short title has 6–16.
                titleLength: titleLength, minLength: 20, maxLength: 300, minHashtags: 1, maxHashtags: 5, emoji: .few,
                // An article is attached by the form (扩展链接), not written into the text.
                allowsLinks: false,
                voice: "视频号配文：朋友圈里熟人之间分享的口吻，真诚稳重，讲清对家人和生活的好处，不喊口号。")
        case .kuaishou:
            CopyRules(
                // A work has no title there, the caption's first line serves. 500: the form.
                titleLength: nil, minLength: 10, maxLength: 500,
                // 4: the creators' form takes no fifth topic.
                minHashtags: 1, maxHashtags: 4, emoji: .few, allowsLinks: false,
                voice: "老铁文化：接地气的大白话，实在、热情、直接，讲实惠和真实生活，不文绉绉。")
        case .bilibili:
            CopyRules(
                // 2,000: the form's 简介. At least 50: our choice.
                titleLength: titleLength, minLength: 50, maxLength: 2_000,
                // The form wants at least 1 tag and takes 10.
                minHashtags: 1, maxHashtags: 10, emoji: .few,
                // 简介 is where authors put references.
                allowsLinks: true,
                voice: "视频简介：懂行、有梗、讲逻辑，说明视频讲了什么、为什么值得看，可以列要点，尊重观众智商。")
        case .weibo:
            CopyRules(
                // The form takes 2,000; our choice of 140, after which a post is folded. It has no title field.
                titleLength: nil, minLength: 20, maxLength: 140,
                // More than 3 topics reads as spam: our choice.
                minHashtags: 1, maxHashtags: 3, emoji: .few, allowsLinks: true,
                voice: "微博短文：观点鲜明，蹭得上话题，一两句说完，适合转发，可以抛出问题引发讨论。")
        case .wechatOfficial:
            CopyRules(
                // The editor takes 20,000; 300–3,000 is our choice for what is read to its end.
                titleLength: titleLength, minLength: 300, maxLength: 3_000,
                // Articles are found through their account; topics are optional.
                minHashtags: 0, maxHashtags: 5, emoji: .few,
                // Ordinary accounts can link to 微信 articles only, by the editor.
                allowsLinks: false,
                voice: "公众号文章：有标题有小节，娓娓道来，先讲故事或场景再给观点和方法，段落短，结尾总结并引导在看。")
        case .zhihu:
            CopyRules(
                // Our choice: answers shorter than 200 are taken for chatter, longer than 3,000 are seldom finished.
                titleLength: titleLength, minLength: 200, maxLength: 3_000,
                // An article is filed under at least 1 topic; 3 is what publishing tools hold.
                minHashtags: 1, maxHashtags: 3,
                // Our choice: readers there expect an essay.
                emoji: .none, allowsLinks: true,
                voice: "知乎回答：先给结论，再讲依据，逻辑清楚、客观克制，分点论述，说明适用条件和局限，不用营销腔。")
        }
    }
}
