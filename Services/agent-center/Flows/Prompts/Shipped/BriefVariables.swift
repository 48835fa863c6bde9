extension ShippedPrompts {
    /// The variables of ``WritingBrief/values(_:)``, which the prompts of copies, image-texts and scripts have in common.
    static let briefVariables = #"""
          topic: text(500) required 主题
          platform: choice(douyin, xiaohongshu, wechat_channels, kuaishou, bilibili, weibo, wechat_official, zhihu) required 平台
          audience: text(200) 目标人群
          sellingPoints: textList(10, 200) 卖点
          tone: text(100) 语气
          keywords: textList(10, 50) 关键词
          bannedWords: textList(200, 50) 禁用词
          brandWords: textList(200, 50) 品牌词
          callToAction: text(200) 行动号召
          voice: text(500) required 平台的说话方式
          minHashtags: integer(0...30) required 话题下限
          maxHashtags: integer(0...30) required 话题上限
          previous: object(200000) 需要修改的原文
          feedback: text(500) 编辑的修改意见
        """#

    /// The variables of ``WritingBrief/lengthValues``.
    static let lengthVariables = #"""
          titleLength: integer(0...100) required 标题字数上限，0 表示没有标题
          minLength: integer(0...10000) required 正文字数下限
          maxLength: integer(10...20000) required 正文字数上限
          emoji: choice(none, few, many) required 表情符号多少
          allowsLinks: boolean 是否允许链接
        """#
}
