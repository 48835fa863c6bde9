import Testing

@testable import AgentCenter

@Suite("Key word of a topic")
struct KeyWordTests {
    @Test(
        "Takes away what is said about the thing",
        arguments: [
            ("夏季防晒霜推荐", "夏季防晒霜"), ("如何选购婴儿推车？", "婴儿推车"), ("最好的国家级面膜", "面膜"), ("保险怎么选", "保险"),
            ("职场新人如何做好时间管理", "时间管理"), ("茶", "茶"), ("😀", "😀"), ("How to choose a running shoe", "running shoe"),
            ("Healthy breakfast ideas for busy parents", "Healthy breakfast ideas for busy parents"),
            ("给老人买手机要注意什么", "老人买手机"), ("今天天气不错！我们想聊聊扫地机器人", "扫地机器人"),
            ("iPhone 17 Pro 拍照技巧", "iPhone 17 Pro 拍照"), ("C++ 入门", "C++"), ("敏感肌怎么选面霜", "选面霜"), ("充电宝能上飞机吗", "充电宝"),
            ("轮胎什么时候该换", "轮胎"), ("用 Node.js 写后端", "用 Node.js 写后端"),
        ])
    func core(topic: String, expected: String) {
        #expect(KeyWord(of: topic).candidates.first == expected)
    }

    @Test(
        "The subject of a topic: quotation marks, questions, prohibitions, names with numbers",
        arguments: [
            ("夏天“最好用”的防晒霜到底是哪一款", "夏天最好用的防晒霜"), ("为什么说“早C晚A”的护肤方法不适合你", "早C晚A的护肤方法"), ("宝宝辅食怎么做", "宝宝辅食"),
            ("iPhone 17 Pro", "iPhone 17 Pro"), ("小米 15 Ultra 值得买吗", "小米 15 Ultra"), ("不要再用洗面奶洗脸了", "洗面奶"),
            ("别再买便宜的充电宝了", "便宜的充电宝"), ("不要空腹喝咖啡", "空腹喝咖啡"), ("别墅装修", "别墅装修"), ("“早C晚A”是什么", "早C晚A"),
            ("为什么防晒霜越涂越黑", "防晒霜"), ("为什么猫咪总是半夜叫", "猫咪"), ("为什么你的面膜没效果", "面膜"), ("为什么大家都在用空气炸锅", "空气炸锅"),
            ("哪款防晒霜最好用", "防晒霜"), ("扫地机器人到底值不值得买", "扫地机器人"), ("是不是该换轮胎了", "轮胎"), ("如何挑选“无糖”的酸奶", "无糖的酸奶"),
            ("《红楼梦》怎么读", "红楼梦"), ("夏天“最好用的防晒霜", "防晒霜"), ("和牛怎么煎才好吃", "和牛"), ("和孩子一起旅行", "旅行"), ("的确良衬衫", "的确良衬衫"),
            ("是什么让你坚持下来的", "「是什么让你坚持下来的」"), ("在家健身怎么开始", "在家健身"),
        ])
    func subject(topic: String, expected: String) {
        #expect(KeyWord(of: topic).sayings.first == expected)
    }

    @Test("A thing that only says which thing does not stand for it, nor does half a name with a number")
    func halves() {
        #expect(!KeyWord(of: "宝宝辅食怎么做").sayings.contains("宝宝"))
        #expect(KeyWord(of: "iPhone 17 Pro").sayings == ["iPhone 17 Pro"])
    }

    @Test(
        "What hangs on another word is no subject", arguments: ["的防晒霜", "和孩子", "在路上", "是哪款", "洗脸了", "看着", "“早C", "面膜，", "什么让你"])
    func noSubject(text: String) {
        #expect(!KeyWord.isSubject(text))
    }

    @Test(
        "Shorter forms end where words end",
        arguments: [
            ("适合敏感肌的平价防晒霜推荐", ["敏感肌的平价防晒霜", "平价防晒霜", "防晒霜", "敏感肌"]),
            (
                "Healthy breakfast ideas for busy parents",
                ["Healthy breakfast ideas for busy parents", "Healthy breakfast", "breakfast"]
            ),
        ])
    func shorter(topic: String, expected: [String]) {
        #expect(KeyWord(of: topic).candidates == expected)
    }

    @Test("A stretch without a known word is not cut at all")
    func unknownStretch() {
        let text = String(repeating: "鑫焱淼", count: 20)
        #expect(KeyWord(of: text).candidates == [text])
    }

    @Test("Nothing but marks has no key word")
    func nothing() {
        for topic in ["", "???", "。。。", "  \n ", "——"] { #expect(KeyWord(of: topic).candidates.isEmpty, "\(topic)") }
    }

    @Test("A keyword that stands in the topic is a form of it")
    func keyword() {
        #expect(KeyWord(of: "鑫焱牌玄武岩锅具", preferring: ["玄武岩", "无关"]).candidates.contains("玄武岩"))
        #expect(!KeyWord(of: "鑫焱牌玄武岩锅具", preferring: ["玄武岩", "无关"]).candidates.contains("无关"))
    }

    @Test("Things are told from activities", arguments: [("夏季防晒霜", false), ("新能源汽车冬季保养", true), ("学英语", true), ("办公椅", false)])
    func kind(topic: String, isActivity: Bool) {
        #expect((KeyWord(of: topic).kind == .activity) == isActivity)
    }

    @Test("The topic is kept in a title in any letter case and width")
    func kept() {
        #expect(KeyWord(of: "iPhone 拍照").isKept(in: "用ＩＰＨＯＮＥ 拍照的3个细节"))
        #expect(!KeyWord(of: "夏季防晒霜").isKept(in: "面膜怎么选"))
    }
}
