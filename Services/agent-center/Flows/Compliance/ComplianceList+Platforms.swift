import DTO

/// What platforms hide or punish, whatever the law says.
///
/// Sources are the platforms' published community rules; their own word lists are secret, so these rows hold the kinds of words that the
/// rules name: leading people off the platform, private dealing, and begging for interaction.
extension ComplianceList {
    private static let shortVideo: Set<ContentPlatform> = [.douyin, .kuaishou, .xiaohongshu, .bilibili]

    static let platforms: [ComplianceWord] =
        words(
            .diversion, .block, "各平台社区规范：站外引流", on: shortVideo,
            """
            加微信 加我微信 加个微信 微信号 薇信 威信号 加V 加vx 加wx vx: wx: +vx V信 卫星号 扫二维码 扫码加 加QQ QQ群 加群 进群 入群 进群领取 私加 加我好友领 公众号搜索 \
            关注公众号 淘口令 复制口令 私下交易 线下交易 微商 代理招募 主页有联系方式 看简介联系
            """,
            except: [
                "加群": "增加群众 增加群体 参加群众", "进群": "进群众 进群山 进群体 进群岛 推进群", "入群": "入群众 入群山 入群体 入群岛",
            ])
        + words(
            .diversion, .warn, "各平台社区规范：站外引流", on: shortVideo, "淘宝 天猫 拼多多 京东 闲鱼 二维码 下载链接 点击链接 戳链接 私信领取 私信我",
            except: ["京东": "南京东 东京东"])
        + words(
            .diversion, .block, "微信视频号运营规范：诱导分享", on: [.wechatChannels],
            "转发到朋友圈领 分享到群领 集赞领 转发领红包 分享后可看 不转不是 转疯了 必须转发 转发保平安 分享解锁")
        + words(
            .enticement, .block, "各平台社区规范：诱导互动", on: nil,
            "互粉 互赞 互关 刷赞 刷粉 求转发求点赞 点赞过万就 不点赞不是 不转不是中国人 抽奖必中 转发必中 百分百中奖 免费领取现金",
            except: ["互关": "相互关心 相互关注 相互关联 相互关系 互关心"])
        + words(.enticement, .warn, "各平台社区规范：诱导互动", on: nil, "求点赞 求关注 求转发 求三连 转发抽奖 关注抽奖 点赞抽奖 关注送")
}
