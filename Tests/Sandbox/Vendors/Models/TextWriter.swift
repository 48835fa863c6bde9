/// Words and objects for everything that is not a title request.
enum TextWriter {
    private static let sentences = [
        "先说结论：从用户真正关心的问题讲起，比堆卖点更有效。", "第一步，把目标人群写具体，越具体越容易打动人。", "第二步，用一个真实的使用场景代替形容词。",
        "数据显示，开头三秒决定了大部分观众去留。", "建议准备两到三个版本，小范围测试后再放大。", "结尾给一个明确的行动提示，例如评论区留言或点击主页。",
        "别忘了检查广告法敏感词，避免绝对化用语。", "如果预算有限，优先优化封面和标题。",
    ]

    /// - Parameter subject: the last thing the user said.
    static func text(about subject: String, generator: inout SeededGenerator) -> String {
        let quoted = subject.prefix(20).replacing("\n", with: " ")
        let chosen = sentences.shuffled(using: &generator).prefix(3 + Int(generator.next() % 3))
        return "关于「\(quoted)」，" + chosen.joined()
    }

    static func reasoning(generator: inout SeededGenerator) -> String {
        "用户想要可直接使用的结果。" + (sentences.randomElement(using: &generator) ?? "")
    }

    /// The smallest plausible value that a JSON Schema allows; the subset that vendors accept.
    static func sample(_ schema: JSON, root: JSON, generator: inout SeededGenerator, depth: Int = 0) -> JSON {
        guard depth < 16 else { return .null }
        if let reference = schema["$ref"]?.string, let target = resolve(reference, in: root) {
            return sample(target, root: root, generator: &generator, depth: depth + 1)
        }
        if let constant = schema["const"] { return constant }
        if let choices = schema["enum"]?.array, !choices.isEmpty { return choices[Int(generator.next() % UInt64(choices.count))] }
        if let first = (schema["anyOf"] ?? schema["oneOf"])?.array?.first {
            return sample(first, root: root, generator: &generator, depth: depth + 1)
        }
        let type =
            schema["type"]?.string ?? schema["type"]?.array?.first?.string ?? (schema["properties"] == nil ? "string" : "object")
        switch type {
        case "object":
            let members = schema["properties"]?.members ?? []
            return .object(
                members.map { member in
                    JSON.Member(
                        name: member.name, value: sample(member.value, root: root, generator: &generator, depth: depth + 1))
                })
        case "array":
            let count = max(1, schema["minItems"]?.int ?? 2)
            return .array(
                (0..<count).map { _ in
                    sample(schema["items"] ?? .make([:]), root: root, generator: &generator, depth: depth + 1)
                })
        case "integer": return number(schema, whole: true, generator: &generator)
        case "number": return number(schema, whole: false, generator: &generator)
        case "boolean": return .bool(generator.next() % 2 == 0)
        case "null": return .null
        default:
            let text = sentences[Int(generator.next() % UInt64(sentences.count))]
            let limit = schema["maxLength"]?.int ?? 40
            return .string(String(text.prefix(max(1, limit))))
        }
    }

    private static func number(_ schema: JSON, whole: Bool, generator: inout SeededGenerator) -> JSON {
        let low = schema["minimum"]?.double ?? 0
        let high = max(low, schema["maximum"]?.double ?? low + 100)
        let value = low + (high - low) * Double(generator.next() % 101) / 100
        return whole ? .int(Int(value.rounded(.up))) : .number(String(value))
    }

    private static func resolve(_ reference: String, in root: JSON) -> JSON? {
        reference.split(separator: "/").dropFirst().reduce(root as JSON?) { $0?[String($1)] }
    }
}
