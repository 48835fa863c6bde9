import DTO
import Foundation

@testable import ContentCenter

/// Contents as a marketing team would have them, made by arithmetic, and queries of which it is known what they are about. A content is
/// about one product, for somebody, under one aspect; it also mentions things that it is not about.
enum SearchCorpus {
    /// Each with the names that people use for it.
    static let products: [[String]] = [
        ["防晒霜", "防晒乳"], ["洗面奶", "洁面乳"], ["面膜", "补水面膜"], ["精华液", "面部精华"], ["眼霜", "眼部精华"], ["口红", "唇膏"], ["粉底液", "底妆"],
        ["卸妆油", "卸妆水"], ["身体乳", "润肤乳"], ["洗发水", "洗头膏"], ["护发素", "发膜"], ["电动牙刷", "声波牙刷"], ["吹风机", "高速吹风机"],
        ["空气炸锅", "炸锅"], ["扫地机器人", "扫拖一体机"], ["咖啡机", "意式咖啡机"], ["电饭煲", "电饭锅"], ["破壁机", "豆浆机"], ["保温杯", "水杯"], ["行李箱", "拉杆箱"],
        ["双肩包", "书包"], ["跑步鞋", "跑鞋"], ["瑜伽垫", "健身垫"], ["筋膜枪", "按摩枪"], ["婴儿车", "推车"], ["纸尿裤", "尿不湿"], ["奶粉", "配方奶粉"],
        ["儿童手表", "电话手表"], ["猫砂盆", "猫厕所"], ["猫粮", "主粮"], ["狗粮", "犬粮"], ["手机壳", "保护壳"], ["充电宝", "移动电源"], ["蓝牙耳机", "无线耳机"],
        ["机械键盘", "电竞键盘"], ["显示器", "电脑屏幕"], ["床垫", "乳胶床垫"], ["四件套", "床上用品"], ["羽绒服", "冬季外套"], ["瑜伽裤", "健身裤"],
    ]
    static let people: [[String]] = [
        ["油皮", "油性皮肤"], ["敏感肌", "容易过敏"], ["学生党", "预算有限"], ["上班族", "打工人"], ["新手妈妈", "宝妈"], ["孕妇", "怀孕期间"], ["租房", "小户型"],
        ["老人", "爸妈"], ["男生", "男朋友"], ["健身", "练肌肉"], ["出差", "经常飞"], ["养宠家庭", "铲屎官"],
    ]
    static let aspects: [[String]] = [
        ["平价", "便宜好用"], ["测评", "实测"], ["避坑", "踩雷"], ["成分", "配料表"], ["清洗", "保养"], ["送礼", "礼物"], ["开箱", "到手体验"], ["对比", "横评"],
        ["教程", "步骤"], ["换季", "秋冬"], ["通勤", "早八"], ["大促", "双十一"],
    ]
    static let brands = ["Lumeria", "Petwell", "Nordika", "Sunvale", "Kivano", "Auralex", "Brewson", "Zentoro"]

    static let openings = ["今天聊聊", "后台好多人问", "用了三个月来说说", "终于轮到", "很多朋友都在找", "一次讲清楚"]
    static let middles = ["先看自己的需求再看预算", "别只看宣传，要看真实的使用场景", "同样的价格差别其实很大", "买之前先问自己三个问题", "细节决定体验", "我把优缺点都列在下面"]
    static let endings = ["有问题评论区见", "收藏起来慢慢看", "觉得有用就点个关注", "下期继续", "记得看到最后", "欢迎留言说说你的经验"]

    struct Document {
        var title: String
        var body: CopyBody
        var about: About
    }

    struct About: Hashable {
        var product: Int
        var person: Int
        var aspect: Int
        var brand: Int
    }

    struct Query {
        var text: String
        var sort: String
        /// What the one who asks wants; `nil`: any.
        var product: Int
        var person: Int?
        var aspect: Int?
        var brand: Int?

        func wants(_ about: About) -> Bool {
            about.product == product && (person ?? about.person) == about.person && (aspect ?? about.aspect) == about.aspect
                && (brand ?? about.brand) == about.brand
        }
    }

    static func documents(_ count: Int) -> [Document] {
        var dice = Dice(seed: 20_261_128)
        return (0..<count).map { _ in document(&dice) }
    }

    private static func document(_ dice: inout Dice) -> Document {
        let about = About(
            product: dice.below(products.count), person: dice.below(people.count), aspect: dice.below(aspects.count),
            brand: dice.below(brands.count))
        let product = dice.pick(products[about.product])
        let person = dice.pick(people[about.person])
        let aspect = dice.pick(aspects[about.aspect])
        let other = products[(about.product + 1 + dice.below(products.count - 1)) % products.count][0]
        let title =
            switch dice.below(5) {
            case 0: "\(person)\(product)\(aspect)"
            case 1: "\(product)\(aspect)，看这一篇就够了"
            case 2: "\(aspect)！\(person)怎么选\(product)"
            case 3: "\(dice.pick(openings))\(product)"
            default: "\(person)必看的\(product)清单"
            }
        let lines = [
            "\(dice.pick(openings))\(product)，适合\(person)。", "\(dice.pick(middles))。",
            "\(aspect)方面，\(brands[about.brand]) \(10 * (1 + dice.below(9))) 款的\(product)表现不错，\(person)也能放心用。",
            dice.below(3) == 0 ? "顺便一提，\(other)我们以后再说。" : "\(dice.pick(middles))。", "\(dice.pick(endings))。",
        ]
        let body = CopyBody(
            topic: title, platform: .douyin, title: nil, text: lines.joined(separator: "\n"), hashtags: [product, aspect],
            callToAction: nil)
        return Document(title: title, body: body, about: about)
    }

    /// Six ways of asking for each product.
    static let queries: [Query] = products.indices.flatMap { product -> [Query] in
        let (person, aspect) = (product % people.count, product * 5 % aspects.count)
        let (name, who, what) = (products[product][0], people[person][0], aspects[aspect][0])
        let brand = product % brands.count
        return [
            Query(text: "\(who)\(name)", sort: "run together", product: product, person: person),
            Query(text: "\(name) \(what)", sort: "two words", product: product, aspect: aspect),
            Query(text: "\(what)\(name)\(who)", sort: "three words", product: product, person: person, aspect: aspect),
            Query(text: "\(who)用什么\(name)比较好", sort: "a question", product: product, person: person),
            Query(text: "\(brands[brand])\(name)", sort: "with a brand", product: product, brand: brand),
            Query(text: "\(misspelt(brands[brand])) \(name)", sort: "with a misspelt brand", product: product, brand: brand),
        ]
    }

    private static func misspelt(_ word: String) -> String {
        var letters = Array(word.lowercased())
        letters.swapAt(2, 3)
        return String(letters)
    }
}

/// SplitMix64: the same everywhere.
struct Dice {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func pick(_ choices: [String]) -> String { choices[below(choices.count)] }
}
