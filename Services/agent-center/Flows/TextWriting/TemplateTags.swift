import DTO

/// Hashtags that suit any topic.
enum TemplateTags {
    static let common = [
        "思路分享", "日常记录", "干货分享", "实用技巧", "生活小妙招", "新手入门", "避坑指南", "收藏备用", "一起成长", "生活灵感", "小知识", "今日份分享", "学习笔记", "选择指南",
        "生活方式", "每天进步一点点", "值得收藏", "方法论", "常见问题", "好习惯", "细节控", "入门指南", "思路整理", "生活记录", "分享日常", "聊聊日常", "小提示", "认真生活", "慢慢来",
        "用心分享",
    ]

    static let platforms: [ContentPlatform: [String]] = [
        .douyin: ["抖音知识分享"], .xiaohongshu: ["笔记灵感", "我的日常"], .kuaishou: ["老铁日常"], .bilibili: ["知识分享"],
        .weibo: ["微博日常"],
    ]
}
