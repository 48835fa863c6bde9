/// Words that Chinese advertising law forbids or that its supervision treats as violations (绝对化用语 and unproven promises), as
/// data.
///
/// Sources: 《中华人民共和国广告法》(2021) 第九条第三项 for absolute expressions and the articles named per entry for special trades;
/// 《广告绝对化用语执法指南》(国家市场监督管理总局公告 2023 年第 6 号) for uses that are not violations, among them statements of
/// time and order, hints on use, and names given by the state.
enum AdvertisingLaw {
    enum Category: String, Sendable, CaseIterable {
        case superlative = "极限用语"
        case first = "唯一与第一"
        case rank = "级别用语"
        case absolute = "绝对承诺"
        case authority = "权威背书"
        case medical = "医疗功效"
        case finance = "收益承诺"
        case education = "教育承诺"
    }

    struct Entry: Sendable {
        let word: String
        let category: Category
        let source: String
        /// Expressions that contain the word and are no violation.
        let exceptions: [String]
    }

    struct Finding: Sendable, Equatable {
        let word: String
        let category: Category
        let source: String
    }

    /// The violations in a text, each word once.
    static func findings(in text: String) -> [Finding] {
        finder.words(in: text).compactMap { word in
            byWord[word].map { Finding(word: $0.word, category: $0.category, source: $0.source) }
        }
    }

    static func violates(_ text: String) -> Bool { finder.contains(in: text) }

    private static let byWord = Dictionary(entries.map { ($0.word, $0) }, uniquingKeysWith: { first, _ in first })
    private static let finder = WordFinder(entries.map { (word: $0.word, exceptions: $0.exceptions) })

    private static func list(
        _ category: Category, _ source: String, _ words: String, except exceptions: [String: String] = [:]
    ) -> [Entry] {
        words.split(whereSeparator: \.isWhitespace).map { word in
            Entry(
                word: String(word), category: category, source: source,
                exceptions: (exceptions[String(word)] ?? "").split(whereSeparator: \.isWhitespace).map(String.init))
        }
    }

    static let entries: [Entry] =
        list(
            .superlative, "广告法第九条第三项",
            "最 极致 极品 极佳 绝佳 绝无仅有 史无前例 前无古人 空前绝后 无与伦比 无可比拟 无敌 巅峰 登峰造极 至尊 终极 完美无瑕 顶峰",
            except: [
                "最": "最近 最后 最终 最初 最多 最少 最晚 最迟 最爱 最佳食用 最佳饮用 最佳赏味 最小公倍数 最大公约数 最低工资 最低生活保障 最惠国 最高人民法院 最高人民检察院 最强大脑",
                "无敌": "所向无敌号",
                "终极": "终极版",
            ])
        + list(
            .first, "广告法第九条第三项",
            "第一 唯一 独一无二 首选 首家 首款 首创 NO.1 TOP1 全网首发 独家 仅此一家 全国销量冠军 销量冠军 全网最低 遥遥领先 填补国内空白 前所未有",
            except: [
                "第一": """
                第一次 第一步 第一天 第一时间 第一眼 第一课 第一节 第一章 第一季 第一集 第一期 第一页 第一句 第一口 第一份工作 第一件事 第一代 第一周 \
                第一批 第一轮 第一杯 第一个月 第一年 第一人称 第一印象 第一反应 第一视角 第一学期 第一季度 第一阶段 第一产业 第一现场 第一医院 第一中学 第一小学
                """,
                "唯一": "唯一标识 唯一编号 唯一索引",
                "首家": "首家庭",
            ])
        + list(
            .rank, "广告法第九条第三项",
            "国家级 世界级 宇宙级 全球级 殿堂级 顶级 顶尖 顶流 尖端 王牌 王者之选 领袖品牌 领导品牌 至尊级 奢侈级",
            except: [
                "国家级": "国家级非遗 国家级非物质文化遗产 国家级自然保护区 国家级风景名胜区 国家级森林公园 国家级开发区 国家级新区",
                "世界级": "世界级非遗",
                "王牌": "王牌军 王牌部队",
            ])
        + list(
            .absolute, "广告法第二十八条",
            "100% 百分百 百分之百 绝对 永久 万能 永不 全能 零缺陷 零风险 无副作用 纯天然 史上 史低 全网 秒杀全网 假一赔万 老字号之首",
            except: [
                "100%": "100%棉 100%纯棉 100%羊毛 100%羊绒 100%桑蚕丝 100%果汁 100%鲜榨 100%聚酯纤维 100%亚麻",
                "绝对": "绝对值 绝对零度 绝对路径 绝对湿度 绝对音感",
                "永久": "永久牌 永久自行车 永久地址 永久居留",
                "万能": "万能青年旅店 万能险 万能表 万能胶",
                "史上": "历史上",
                "全网": "全网通 安全网",
                "全能": "全能扫描王 安全能",
                "永不": "永不言弃 永不止步 永不放弃 永不过时",
            ])
        + list(
            .authority, "广告法第九条第二项、商标法第十四条",
            "国家领导人 国家机关推荐 特供 专供 国宴 驰名商标 质量免检 国家免检 政府指定 央视推荐")
        + list(
            .medical, "广告法第十六条、第十七条",
            "根治 治愈 包治 药到病除 立竿见影 立即见效 无毒副作用 疗效 治愈率 有效率 抗癌 防癌 祛病 特效 神效 一次见效 无效退款 安全无毒",
            except: ["治愈": "治愈系 很治愈 超治愈 被治愈 治愈人心 治愈感", "特效": "特效化妆 特效镜头 影视特效 视频特效 特效师 特效制作", "疗效": ""])
        + list(
            .finance, "广告法第二十五条",
            "稳赚 保本 包赚 保收益 稳赚不赔 一夜暴富 日入过万 躺赚 高收益 无风险 保值升值", except: ["保本": "环保本"])
        + list(.education, "广告法第二十四条", "包过 保过 必过 保录取 包就业 保分 命题专家 押题必中 保上岸", except: ["必过": "必过早"])
}
