import Testing

@testable import AgentCenter

@Suite("Redaction of kept texts")
struct RedactionTests {
    @Test(
        "What identifies people or opens doors is taken out",
        arguments: [
            ("电话13800138000，请联系", "电话[手机号]，请联系"),
            ("拨打 138 0013 8000 或 138-0013-8000。", "拨打 [手机号] 或 [手机号]。"),
            ("手机+8613800138000", "手机[手机号]"),
            ("座机 010-62345678", "座机 [电话]"),
            ("写信给 wang.xm+vip@example.com.cn。", "写信给 [邮箱]。"),
            ("身份证11010519491231002X！", "身份证[身份证号]！"),
            ("卡号 6222 0212 3456 7894", "卡号 [银行卡号]"),
            ("Authorization: Bearer sk-abcdefghijklmnop1234", "Authorization: Bearer [密钥]"),
            ("token=eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2ln", "token=[密钥]"),
            ("key 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "key [密钥]"),
            ("tel=13800138000", "tel=[手机号]"), ("+12345678", "[电话]"), ("sk-abcdefghijklm", "[密钥]"), ("a@b.cn", "[邮箱]"),
            ("13800138000@x, 8个", "[手机号]@x, 8个"),
            ("http://x.cn/?phone=13912345678&a=1", "http://x.cn/?phone=[手机号]&a=1"),
        ])
    func takenOut(text: String, expected: String) {
        #expect(Redaction.redacted(text) == expected)
    }

    @Test(
        "What does not is left as it is",
        arguments: [
            "夏季防晒霜推荐 SPF50+，2026-11-20 上新，价格 199.00 元", "订单 20261120153000", "第1名！100% 有效？",
            "id 0198b3c2-7b1e-7c55-9d5e-0123456789ab", "a@b", "10000000000",
            "https://www.example.com/path/to/a-long-article-name",
            "👨‍👩‍👧 家庭装", "",
        ])
    func left(text: String) {
        #expect(Redaction.redacted(text) == text)
    }

    @Test("A long text is cut, also within a character, and never grows without bound")
    func long() {
        let text = String(repeating: "防", count: 40_000)
        let kept = Redaction.redacted(text)
        #expect(kept.utf8.count <= Redaction.maximumBytes + 3)
        #expect(kept.hasPrefix("防防"))
        #expect(kept == String(decoding: text.utf8.prefix(Redaction.maximumBytes), as: UTF8.self))
    }
}
