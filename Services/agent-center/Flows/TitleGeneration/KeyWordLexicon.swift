/// The words that ``KeyWord`` knows: what people put before and after a thing, and the things of the trades that advertise on
/// short video.
enum KeyWordLexicon {
    struct Segment: Sendable, Equatable {
        let text: String
        /// A word of the lists or of an alphabet; its ends are ends of a word.
        let isKnown: Bool
        /// Names a thing or an activity on its own.
        let isNoun: Bool
    }

    /// Openings that talk about the thing; longest first. Those of an alphabet end with a blank.
    static let openings = sorted(
        words(
            """
            为什么说 为什么要 为什么 为啥 为何 如何 怎么才能 怎么样 怎么 怎样 教你如何 教你 教大家 手把手教你 一文读懂 一文看懂 什么是 关于 有关 针对 分享一下 分享 推荐几款 推荐一款 推荐 \
            介绍一下 介绍 聊聊 说说 谈谈 浅谈 解读 揭秘 盘点 一款 一个 一种 一份 一家 一套 一台 一些 几款 几个 这款 这个 那些 我们家 我们的 我们 我家的 我家 我的 你的 大家的 大家 \
            请帮我写 帮我写 帮我 请写 写一个 写一篇 写 请 想要 想 需要 求 适合 有哪些 哪些 哪一款 哪款 哪种 哪里有 到底 究竟 其实 今年 明年 去年 好用的 好吃的 好看的 高性价比的 性价比高的 \
            最好的 最好用的 最好吃的 最新的 最新 最强 最 顶级 国家级 世界级 全网 独家 史上 绝对 第一 唯一 首选 超级 非常 特别 公认的 真正的 必备的 必买的 选购 挑选 购买 选择 了解 认识 做好 搞定 掌握
            """)
            + [
                "how to choose ", "how to make ", "how to ", "how do you ", "why ", "what is ", "what are ", "the best ", "best ",
                "top 10 ",
                "the ", "a ", "an ", "my ", "your ", "our ", "about ", "guide to ", "introduction to ", "tips for ", "ideas for ",
            ])

    /// Endings that talk about the thing; longest first.
    static let endings = sorted(
        words(
            """
            推荐 攻略 指南 教程 分享 测评 评测 实测 介绍 技巧 小技巧 方法 心得 经验 秘诀 秘籍 大全 合集 清单 盘点 注意事项 避坑 避雷 要注意什么 该注意什么 注意什么 注意哪些 \
            怎么选 该怎么选 应该怎么选 怎么选购 怎么做 怎么办 怎么样 怎么用 怎么回事 是怎么回事 \
            怎么挑 怎么买 怎么学 怎么玩 怎么吃 怎么搭 怎么穿 怎么写 怎么拍 如何选 如何选择 如何挑选 如何做 哪家好 哪个好 哪款好 哪种好 好不好 值不值得买 值得买吗 值得吗 有哪些 是什么 是哪一款 是哪款 是哪一个 是哪个 是哪种 哪一款 哪款 选哪款 选哪个 买哪款 买哪个 \
            不适合你 适合你 适合你吗 适合我吗 适不适合你 最好用 更好用 好用吗 有用吗 靠谱吗 有必要吗 到底 究竟 应该 \
            为什么 吗 呢 啊 吧 呀 了 的 全解析 解析 科普 干货 揭秘 知识 常识 入门指南 选购 选购指南 挑选 文案 标题 视频 短视频 宣传 推广 种草 必看 新手入门 新手 入门 零基础 去哪里 去哪玩 去哪儿 去哪 怎么去 \
            多少钱 要多久 需要多久 从零开始 一定要知道的事 那些事 这件事 上新 上市 促销 活动 大促 特惠 优惠
            """)
            + [
                " tips and tricks", " tips", " guide", " review", " reviews", " tutorial", " ideas", " for beginners",
                " explained",
                " 101", " checklist", " recommendations",
            ])

    /// Words that stand between who asks, or what is asked about, and what is asked.
    static let questionWords = words("如何 怎么 怎样 为什么 为何 什么时候 多久 多少钱 有必要 靠谱 值不值 值得 能不能 要不要 该不该 哪种 哪个 哪家 哪款 哪些 哪里 去哪 到底").map(
        Array.init)

    /// Little words at which a Chinese phrase may be cut when they stand alone.
    static let particles = set("的 在 和 与 及 跟 或 把 被 让 给 用 对 为 从 到 里 是 有 时 后 前 就 也 都 要 能 会 不 去 来 该 又 再 还 中 上 下 当 才 只 如 且 并 而 但 因 所")

    static let prepositions: Set<String> = [
        "for", "of", "with", "in", "on", "at", "to", "from", "and", "or", "by", "without", "during", "the", "a", "an", "vs",
        "your", "that", "is",
        "are",
    ]

    /// Words that begin an activity: `学英语`, `带娃`.
    static let verbs = set(
        """
        学 学习 做 选 买 去 带 减 练 养 拍 开 写 玩 吃 喝 穿 搭 租 卖 找 考 备考 跑 打造 布置 提升 提高 降低 改善 解决 预防 治疗 申请 办理 报考 管理 搭建 运营 制作 自制 \
        在家 居家 装 装修 修 清洁 清洗 收纳 保养 护理 改造 规划 准备 经营 创办 招聘 培养 教育
        """)

    /// Things one does, by name.
    static let activities = set(
        """
        健身 减肥 减脂 增肌 塑形 瑜伽 跑步 游泳 护肤 化妆 美甲 穿搭 装修 收纳 理财 投资 储蓄 记账 考研 考公 考证 备考 留学 学习 背单词 阅读 写作 摄影 剪辑 直播 带货 创业 求职 面试 \
        旅行 旅游 自驾 自驾游 露营 徒步 骑行 钓鱼 登山 滑雪 潜水 烘焙 做饭 烹饪 育儿 辅食添加 胎教 备孕 坐月子 保养 洗车 驾考 学车 买车 买房 租房 搬家 装机 养猫 养狗 养宠 遛狗 驱虫 \
        种植 养花 园艺 采摘 团建 婚礼策划 求婚 相亲 体检 护眼 睡眠 冥想 理疗 按摩 推拿 艾灸 洗牙 植发 矫正 戒糖 控糖 断舍离 副业 社交 沟通 时间管理 团队管理 引流 获客 涨粉 运营 营销
        """)

    /// Things and services by name.
    private static let things = set(
        """
        防晒霜 防晒 面膜 口红 粉底液 粉底 气垫 眼影 眼霜 精华 精华液 面霜 乳液 爽肤水 洗面奶 洁面 卸妆油 卸妆 香水 护手霜 身体乳 洗发水 护发素 发膜 染发剂 睫毛膏 眉笔 腮红 隔离 美容仪 \
        敏感肌 油皮 干皮 头发 头皮 痘痘 黑头 毛孔 皱纹 美白 祛斑 祛痘 皮肤管理 美容院 美发 发型 美甲店 \
        咖啡 奶茶 果茶 茶叶 绿茶 红茶 白茶 普洱 火锅 烧烤 小龙虾 烤鱼 麻辣烫 面条 米粉 螺蛳粉 饺子 包子 早餐 午餐 晚餐 夜宵 便当 轻食 沙拉 甜品 蛋糕 面包 月饼 粽子 汤圆 零食 坚果 酸奶 牛奶 \
        水果 草莓 樱桃 车厘子 榴莲 芒果 西瓜 苹果 橙子 柑橘 大闸蟹 海鲜 牛排 牛肉 羊肉 猪肉 鸡胸肉 大米 杂粮 蜂蜜 燕窝 白酒 红酒 啤酒 精酿 预制菜 调味料 酱油 橄榄油 空气炸锅 家常菜 食谱 餐厅 餐饮店 \
        连衣裙 羽绒服 大衣 西装 衬衫 牛仔裤 瑜伽裤 运动鞋 跑鞋 帆布鞋 高跟鞋 短靴 帽子 围巾 包包 双肩包 行李箱 手表 眼镜 墨镜 项链 耳环 戒指 钻戒 黄金 珠宝 汉服 旗袍 内衣 睡衣 童装 校服 女装 男装 \
        沙发 床垫 枕头 四件套 窗帘 地毯 灯具 衣柜 橱柜 书桌 书架 餐桌 椅子 人体工学椅 马桶 花洒 浴室柜 瓷砖 地板 涂料 乳胶漆 门窗 全屋定制 智能家居 智能锁 扫地机器人 洗地机 洗碗机 洗衣机 烘干机 冰箱 \
        空调 电视 投影仪 热水器 净水器 空气净化器 加湿器 除湿机 电饭煲 破壁机 微波炉 烤箱 收纳盒 小户型 老房 旧房改造 厨房 卫生间 客厅 卧室 阳台 儿童房 软装 硬装 甲醛 \
        奶粉 纸尿裤 婴儿车 婴儿推车 推车 安全座椅 奶瓶 辅食 绘本 玩具 积木 早教 早教班 幼儿园 学区 儿童 宝宝 婴儿 孕妇 月子中心 月嫂 母婴 儿童牙刷 儿童餐 亲子游 亲子 夏令营 \
        英语 英语口语 口语 雅思 托福 数学 语文 作文 物理 化学 编程 少儿编程 钢琴 吉他 舞蹈 书法 美术 围棋 网课 家教 辅导班 学习机 词典笔 高考 中考 志愿填报 公务员 教师资格证 会计证 考试 专业 职业教育 驾照 \
        哑铃 瑜伽垫 跑步机 动感单车 健身房 私教 蛋白粉 蛋白棒 体脂 马甲线 核心训练 普拉提 羽毛球 网球 篮球 足球 乒乓球 飞盘 滑板 自行车 \
        民宿 酒店 机票 签证 景区 古镇 海岛 温泉 乐园 主题乐园 邮轮 房车 露营装备 帐篷 睡袋 登山鞋 旅行团 旅拍 婚纱照 写真 伴手礼 \
        新能源车 新能源汽车 电动车 电动汽车 汽车 二手车 轿车 车险 轮胎 机油 行车记录仪 充电桩 车载冰箱 车膜 脚垫 洗车店 4S店 摩托车 房贷 车贷 \
        猫粮 狗粮 猫砂 猫砂盆 猫咪 狗狗 宠物 宠物店 宠物医院 宠物用品 宠物保险 牵引绳 猫爬架 冻干 罐头 水族 鱼缸 仓鼠 \
        手机 平板 平板电脑 笔记本 笔记本电脑 电脑 耳机 蓝牙耳机 音箱 相机 镜头 无人机 充电宝 充电器 键盘 机械键盘 鼠标 显示器 路由器 智能手表 手环 游戏机 显卡 软件 小程序 应用 APP AI \
        基金 股票 保险 重疾险 医疗险 养老金 养老 存款 信用卡 贷款 税务 个税 发票 记账软件 房产 二手房 公寓 写字楼 商铺 物业 房租 \
        多肉 绿植 鲜花 花束 盆栽 月季 兰花 种子 有机蔬菜 农产品 土鸡蛋 \
        体检套餐 牙齿 牙膏 电动牙刷 牙刷 牙套 种植牙 近视 隐形眼镜 助听器 血压计 颈椎 腰椎 颈椎枕 护腰 中医 针灸 中药 维生素 益生菌 钙片 鱼油 口罩 按摩椅 足浴 \
        婚礼 婚庆 婚戒 司仪 蛋糕店 花店 书店 咖啡店 奶茶店 便利店 理发店 干洗店 家政 保洁 开锁 搬家公司 快递 物流 广告 印刷 直播间 短视频 账号 私域 社群 店铺 门店 加盟 加盟店 品牌 客户 粉丝 会员 \
        非遗 文创 博物馆 展览 话剧 音乐节 演唱会 电影 小说 漫画 盲盒 手办 手账 文具 钢笔 礼物 礼盒 年货 春联
        """)

    /// Words that stand before a thing, and everyday words whose characters must not be taken for particles.
    private static let everyday = set(
        """
        夏季 冬季 春季 秋季 夏天 冬天 春天 秋天 秋冬 春夏 换季 新手 新款 平价 高端 家用 商用 便携 无线 蓝牙 智能 全自动 迷你 大容量 儿童 成人 老人 男士 女士 女生 男生 学生 宝妈 上班族 打工人 职场 \
        周末 节日 春节 国庆 中秋 端午 情人节 母亲节 父亲节 双十一 毕业季 开学季 年终 早秋 初春 盛夏 国产 进口 手工 有机 天然 低脂 低糖 无糖 低卡 高蛋白 零基础 小个子 微胖 通勤 户外 室内 居家 在家 办公室 \
        小区 城市 乡村 海边 山里 北京 上海 广州 深圳 杭州 成都 重庆 云南 大理 三亚 新疆 西藏 日本 泰国 本地 同城 线上 线下 快速 高效 省钱 省心 懒人 极简 北欧 中式 日式 法式 复古 简约 \
        对比 对象 对于 用户 用品 为了 因为 以为 认为 后悔 后背 以后 前端 以前 时尚 时间 小时 时候 及时 里程 公里 家里 是否 就是 还是 有机 没有 所有 有用 到位 达到 到家 和牛 和平 温和 与众不同 参与 从业 \
        从事 跟拍 跟随 或者 把握 被子 被动 让步 给力 不同 不错 不想 不用 会计 会议 机会 社会 能量 功能 性能 需要 重要 去除 过去 来源 未来 上海 上班 上门 下班 下单 乡下 中国 中年 中心 中式 当地 适当 人才 \
        才艺 只有 如今 而且 但是 因此 所以 场所 厕所 再生 又一次 都市 首都 也许 也门 并且 合并 要求 主要 怎么 什么 如何 哪些 应该 的确 的确良 的士 目的 目的地 标的
        """)

    private static let known: Set<String> = things.union(activities).union(everyday).union(verbs.filter { $0.count > 1 })
    /// The lengths of the known words that begin with a character, longest first: what is looked up at a place is what can stand there.
    private static let knownLengths: [Character: [Int]] = Dictionary(grouping: known.filter { $0.count > 1 }) { $0.first ?? " " }
        .mapValues { Set($0.map(\.count)).sorted(by: >) }

    private static let openingsByFirst = Dictionary(grouping: openings) { $0.first ?? " " }
    private static let endingsByLast = Dictionary(grouping: endings) { $0.last ?? " " }

    /// The openings that a text with this first character can have; longest first.
    static func openings(of lowered: String) -> [String] { lowered.first.flatMap { openingsByFirst[$0] } ?? [] }

    /// The endings that a text with this last character can have; longest first.
    static func endings(of lowered: String) -> [String] { lowered.last.flatMap { endingsByLast[$0] } ?? [] }

    static func containsNoun(_ phrase: String) -> Bool { segments(of: phrase).contains(where: \.isNoun) }

    /// Longest known words from the left; stretches between them are one unknown piece; little words stand alone.
    static func segments(of phrase: String) -> [Segment] {
        let characters = Array(phrase)
        var segments: [Segment] = []
        var unknown = ""
        func closeUnknown() {
            if !unknown.isEmpty { segments.append(Segment(text: unknown, isKnown: false, isNoun: false)) }
            unknown = ""
        }
        var index = 0
        scan: while index < characters.count {
            if characters[index].isHan || (index == 0 || !characters[index - 1].isAlphabetic) {
                for length in knownLengths[characters[index]] ?? [] where length <= characters.count - index {
                    let word = String(characters[index..<(index + length)])
                    let endsInsideAlphabeticWord =
                        characters[index + length - 1].isAlphabetic && index + length < characters.count
                        && characters[index + length].isAlphabetic
                    guard known.contains(word), !endsInsideAlphabeticWord else { continue }
                    closeUnknown()
                    segments.append(
                        Segment(text: word, isKnown: true, isNoun: things.contains(word) || activities.contains(word)))
                    index += length
                    continue scan
                }
            }
            if characters[index].isHan {
                let text = String(characters[index])
                // A one-character verb or little word cuts only where a known word behind it shows that it stands alone.
                if particles.contains(text), isSafeCut(characters, after: index) {
                    closeUnknown()
                    segments.append(Segment(text: text, isKnown: true, isNoun: false))
                } else if verbs.contains(text), unknown.isEmpty, index == 0, isSafeCut(characters, after: index) {
                    segments.append(Segment(text: text, isKnown: true, isNoun: false))
                } else {
                    unknown.append(characters[index])
                }
                index += 1
            } else {
                closeUnknown()
                var word = ""
                while index < characters.count, !characters[index].isHan {
                    word.append(characters[index])
                    index += 1
                }
                segments.append(Segment(text: word, isKnown: true, isNoun: false))
            }
        }
        closeUnknown()
        return segments
    }

    /// Whether a known word begins right behind the character, or it is 的, which ends nearly every word before it.
    private static func isSafeCut(_ characters: [Character], after index: Int) -> Bool {
        if characters[index] == "的" { return true }
        guard index + 1 < characters.count else { return false }
        for length in knownLengths[characters[index + 1]] ?? [] where length <= 6 && index + 1 + length <= characters.count {
            if known.contains(String(characters[(index + 1)...(index + length)])) { return true }
        }
        return false
    }

    private static func words(_ text: String) -> [String] { text.split(whereSeparator: \.isWhitespace).map(String.init) }

    private static func set(_ text: String) -> Set<String> { Set(words(text)) }

    private static func sorted(_ words: [String]) -> [String] { words.sorted { ($1.count, $0) < ($0.count, $1) } }
}
