import DTO

/// One part of a script's story.
struct Beat: Sendable {
    enum Name: String, Sendable {
        case pain, reveal, point, demo, experience, setup, conflict, turn, overview, step, tip, recap, criteria, test, pros, cons,
            conclusion, process, feeling, preview, reminder
    }

    let lines: [String]
    let visuals: [String]
    var shots = ["中景", "近景"]
    var props: [String] = []
    /// Whether a selling point of the brief suits it.
    var speaksOfPoints = false
}

/// The words of the script templates; slots as in ``SentenceBank``.
enum BeatBank {
    /// Which beats a type goes through between hook and end.
    static let plans: [VideoScriptType: [Beat.Name]] = [
        .product: [.pain, .reveal, .point, .demo, .point, .experience],
        .story: [.setup, .conflict, .conflict, .turn, .experience, .recap],
        .tutorial: [.overview, .step, .step, .tip, .step, .recap],
        .review: [.criteria, .test, .pros, .test, .cons, .conclusion],
        .vlog: [.setup, .process, .feeling, .process, .experience],
        .liveTeaser: [.preview, .point, .preview, .reminder],
    ]

    static let hooks = [
        "{key}，先看这几点。", "{key}，别急着决定。", "聊聊{key}。", "{key}，你也在纠结吗？", "关于{key}，说点实在的。", "{key}这件事，今天一次说清楚。",
        "先等等，看完再说。", "这几点，别忽略。", "不绕弯子，说点实在的。", "你是不是也这样？",
    ]
    static let hook = Beat(
        lines: hooks, visuals: ["人物直面镜头，身后是{key}的场景", "{key}的特写迅速推近", "人物直面镜头开口说话", "画面从虚到实，落在主体上"],
        shots: ["特写", "近景"])
    static let end = Beat(
        lines: [], visuals: ["人物对镜头挥手，画面留出文字位置", "{key}的全景，画面渐渐变暗", "定格在整洁的桌面上"], shots: ["中景", "全景"])

    static let cameras = ["固定", "缓慢推进", "跟拍", "横移", "手持轻晃", "拉远"]
    static let music: [VideoScriptType: [String]] = [
        .product: ["轻快电子乐", "明亮的节奏"], .story: ["安静的钢琴", "温暖的弦乐"], .tutorial: ["轻松的背景乐"], .review: ["平稳的低保真节奏"],
        .vlog: ["清新的吉他", "生活感的轻音乐"], .liveTeaser: ["有期待感的鼓点", "渐强的节奏"],
    ]

    static let beats: [Beat.Name: Beat] = [
        .pain: Beat(
            lines: ["{key}看着简单，真到自己手上，问题就来了。", "选来选去，心里还是没底。", "时间花了，效果却说不清。", "想省心，结果更费心。", "每次都差那么一点意思。"],
            visuals: ["人物皱眉翻看手机上的{key}信息", "桌上摊开一堆资料，人物叹气", "快速闪过几个忙乱的日常画面"]),
        .reveal: Beat(
            lines: ["换个思路看{key}。", "今天就把它放到镜头前，一起看看。", "先看整体，再看细节。", "不吹不黑，直接看。"],
            visuals: ["{key}在自然光下完整亮相", "镜头绕主体半圈，展示全貌", "人物把要展示的内容推到镜头前"], shots: ["全景", "中景"], speaksOfPoints: true),
        .point: Beat(
            lines: ["看{key}，先看它能不能解决你的问题。", "细节处理得细，用着才顺。", "日常场景里用得上，才算数。", "上手不难，照着来就行。", "好不好，放到生活里看。"],
            visuals: ["{key}的细节特写，手指轻轻划过", "分屏展示不同场景下的样子", "近景展示关键部位，浅景深"], shots: ["特写", "近景"], speaksOfPoints: true),
        .demo: Beat(
            lines: ["来，实际操作一遍。", "跟着镜头走，一步都不跳。", "边做边看，注意手上的动作。", "不剪辑，直接看过程。"],
            visuals: ["双手演示{key}的完整过程", "俯拍演示，步骤清楚", "手部近景，动作放慢"], shots: ["近景", "俯拍"], props: ["操作台"],
            speaksOfPoints: true),
        .experience: Beat(
            lines: ["放到日常里，再看看合不合适。", "好不好，时间会给答案。", "顺不顺手，自己心里清楚。", "合不合适，自己试过才知道。"],
            visuals: ["人物在家中放松地说话", "日常生活的连续画面，节奏放慢", "{key}出现在日常的一角"]),
        .setup: Beat(
            lines: ["那天早上，一切都和平常一样。", "故事要从{key}说起。", "忙碌的一天，又开始了。", "先带你看看今天的安排。"],
            visuals: ["清晨的窗边，光线慢慢亮起来", "人物出门，街道上人来人往", "桌面上放着与{key}有关的物件"], shots: ["全景", "中景"]),
        .conflict: Beat(
            lines: ["没想到，麻烦偏偏这时候来。", "越着急，越找不到头绪。", "身边的人各有各的说法。", "差点就想放弃了。", "{key}，成了绕不过去的坎。"],
            visuals: ["人物停下脚步，神情为难", "手机消息接连弹出，人物揉了揉眼睛", "两个人意见不一，各自沉默"], shots: ["近景", "特写"]),
        .turn: Beat(
            lines: ["直到有人提醒了我一句话。", "换个角度看{key}，突然就通了。", "原来，问题出在我自己身上。", "那一刻，我决定重新来过。"],
            visuals: ["人物抬起头，表情舒展开", "一束光照进房间", "本子上写下新的一行字"], shots: ["近景", "中景"]),
        .overview: Beat(
            lines: ["今天这期，分几步讲清楚{key}。", "先看整体流程，心里有个数。", "需要准备的东西不多，先备齐。", "新手也能跟上，别担心。"],
            visuals: ["准备好的物品整齐摆开", "人物在白板上写下步骤", "{key}的成品展示"], shots: ["俯拍", "中景"], props: ["清单", "工具"]),
        .step: Beat(
            lines: ["这一步，慢一点没关系。", "做好标记，后面就不会乱。", "注意顺序，别跳着来。", "看清楚位置，再动手。", "完成之后，停下来检查一遍。", "做{key}，这一步别省。"],
            visuals: ["俯拍双手操作，画面角落标出步骤", "手部特写，动作清楚", "完成前后的画面对比"], shots: ["特写", "俯拍"], props: ["工具"],
            speaksOfPoints: true),
        .tip: Beat(
            lines: ["这里有个小窍门，省不少时间。", "常见的错误，就在这个地方。", "要是卡住了，先退回上一步。", "记不住的话，先截个图。"],
            visuals: ["画面圈出容易出错的位置", "人物举起一根手指提示", "正确与错误做法分屏对比"], shots: ["近景", "特写"]),
        .recap: Beat(
            lines: ["回头看，其实就这么几步。", "把重点再过一遍。", "关于{key}，记住这几句就够了。", "做完了，给自己一个肯定。"],
            visuals: ["前面的画面快速回放", "成果完整展示，光线温暖", "人物微笑看向镜头"], shots: ["全景", "中景"]),
        .criteria: Beat(
            lines: ["评{key}，先把标准说清楚。", "这次从几个方面来看。", "同样的条件下比，才公平。", "不看宣传，只看实际。"],
            visuals: ["画面列出几条评测标准", "几样东西一字排开", "人物对照清单逐项说明"], shots: ["中景", "俯拍"], props: ["评测清单"]),
        .test: Beat(
            lines: ["直接上手试。", "换个场景，再试一次。", "结果先不说，你自己看。", "多试几回，看稳不稳定。", "这一项，可以放在一起对比。"],
            visuals: ["实测{key}的过程，不加快进", "不同条件下的测试画面并排", "人物记录测试结果"], shots: ["近景", "特写"], props: ["记录本"],
            speaksOfPoints: true),
        .pros: Beat(
            lines: ["先说好的地方。", "这几点，可以先记下来。", "放到日常里，再看一遍。", "细节，也值得多看一眼。"],
            visuals: ["{key}的优点逐条出现在画面一侧", "近景展示令人满意的细节", "人物点头，语气轻松"], speaksOfPoints: true),
        .cons: Beat(
            lines: ["也说说不足。", "这几种情况，不一定适合。", "在意这一点的，要想清楚。", "期待别太高，心态会好。"],
            visuals: ["人物摇头，指出一处细节", "不足之处的近景画面", "分屏列出不适合的情况"]),
        .conclusion: Beat(
            lines: ["总结一下，合适的人可以考虑。", "{key}怎么选，看你的需求。", "值不值，答案在你自己。", "预算有限，就先看要紧的那一项。"],
            visuals: ["画面列出结论要点", "人物面对镜头总结", "{key}与清单同框"], shots: ["中景", "全景"]),
        .process: Beat(
            lines: ["接着往下走。", "{key}，是今天的重头戏。", "路上随手拍了几段。", "一边做，一边和你说。", "累是累，也挺有意思。"],
            visuals: ["跟拍人物的日常动作", "{key}过程的连续画面", "路上的风景，手持拍摄"], shots: ["跟拍", "中景"], props: ["随身包"],
            speaksOfPoints: true),
        .feeling: Beat(
            lines: ["说实话，这一刻挺放松的。", "忙完坐下来，喝口水。", "有些事，慢下来才看得见。", "今天的心情，记录一下。"],
            visuals: ["人物坐在窗边发呆", "一杯热饮冒着热气", "黄昏的街道，人影拉长"], shots: ["近景", "空镜"], props: ["杯子"]),
        .preview: Beat(
            lines: ["直播间聊{key}，问题现场答。", "想看什么，提前留言告诉我。", "准备了不少内容，慢慢聊。", "新朋友老朋友，都来坐坐。"],
            visuals: ["直播间布置的快速画面", "{key}在直播台上排开", "人物调试灯光和镜头"], shots: ["中景", "全景"], props: ["直播灯", "手机支架"]),
        .reminder: Beat(
            lines: ["时间记好，到点见。", "怕忘记，就点个预约。", "来了就有得聊，不来也没关系。", "带上你的问题，我们直播间见。"],
            visuals: ["画面出现日历和时钟", "人物指向屏幕下方的预约位置", "倒计时的数字跳动"], shots: ["近景", "中景"]),
    ]
}
