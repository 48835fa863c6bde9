import DTO
import FoundationEssentials
import HTTPCore

/// The input rules of `POST /v1/contents/{id}/pictures`. All problems are told at once.
enum PictureCompletionInput {
    static func read(_ json: JSONValue, of contentId: UUID) throws -> PictureCompletionOrder {
        var fields = FieldReader(json)
        let slots = fields.integerList("slots", in: ImageTextCreationInput.slots)
        let shape = fields.optionalChoice("imageShape", of: ImageShape.self)
        try fields.finish()
        return PictureCompletionOrder(contentId: contentId, slots: slots, imageShape: shape)
    }
}

extension FieldReader {
    /// Whole numbers, at least one, each once.
    fileprivate mutating func integerList(_ name: String, in range: ClosedRange<Int>) -> [Int] {
        guard let value = value(name) else {
            refuse(name, code: "required", zh: "必填", en: "is required")
            return []
        }
        guard let items = value.array, (1...range.count).contains(items.count) else {
            refuse(
                name, code: "wrong_type", zh: "应为 1 到 \(range.count) 个整数", en: "must be a list of 1 to \(range.count) integers")
            return []
        }
        var numbers: [Int] = []
        for (index, item) in items.enumerated() {
            guard let number = item.int, range.contains(number) else {
                refuse(
                    name, item: index, code: "out_of_range", zh: "应在 \(range.lowerBound) 到 \(range.upperBound) 之间",
                    en: "must be between \(range.lowerBound) and \(range.upperBound)")
                continue
            }
            if numbers.contains(number) {
                refuse(name, item: index, code: "duplicate", zh: "不能重复", en: "is there already")
            } else {
                numbers.append(number)
            }
        }
        return numbers
    }
}
