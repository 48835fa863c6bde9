import DTO
import FoundationEssentials
import HTTPCore

/// The input rules of `/v1/ai/holds`.
enum SpendingHoldsInput {
    static let stepLength = 1...64
    static let images = 1...10

    static func hold(_ json: JSONValue) throws -> SpendingHoldRequest {
        var fields = FieldReader(json)
        let request = SpendingHoldRequest(
            step: fields.text("step", length: stepLength), scene: fields.text("scene", length: 1...64),
            provider: name("provider", &fields), model: name("model", &fields), images: fields.integer("images", in: images),
            ticketId: fields.optionalUUID("ticketId"))
        if ModelNames.reservedProviders.contains(request.provider) {
            fields.refuse("provider", code: "reserved", zh: "是保留名称", en: "is a reserved name")
        }
        if request.provider.contains("/") {
            fields.refuse("provider", code: "malformed", zh: "不能含有 /", en: "must not hold a /")
        }
        try fields.finish()
        return request
    }

    static func settlement(_ json: JSONValue) throws -> (SpendingSettlement, promptHash: [UInt8]) {
        var fields = FieldReader(json)
        let (step, ticketId) = hold(&fields)
        let images = fields.integer("images", in: images)
        let latencyMs = fields.integer("latencyMs", in: 0...3_600_000)
        let text = fields.text("promptSha256", length: 1...64)
        let hash = bytes(ofHexadecimal: text)
        if hash?.count != 32, !text.isEmpty {
            fields.refuse("promptSha256", code: "malformed", zh: "应为 64 位十六进制", en: "must be 64 hexadecimal digits")
        }
        try fields.finish()
        guard let ticketId, let hash else { throw InternalFailure() }
        return (
            SpendingSettlement(step: step, ticketId: ticketId, images: images, latencyMs: latencyMs, promptSha256: text), hash
        )
    }

    static func release(_ json: JSONValue) throws -> SpendingRelease {
        var fields = FieldReader(json)
        let (step, ticketId) = hold(&fields)
        try fields.finish()
        guard let ticketId else { throw InternalFailure() }
        return SpendingRelease(step: step, ticketId: ticketId)
    }

    private static func hold(_ fields: inout FieldReader) -> (step: String, ticketId: UUID?) {
        let step = fields.text("step", length: stepLength)
        let ticketId = fields.optionalUUID("ticketId")
        if ticketId == nil, !fields.issues.contains(where: { $0.pointer == "/ticketId" || $0.pointer.isEmpty }) {
            fields.refuse("ticketId", code: "required", zh: "必填", en: "is required")
        }
        return (step, ticketId)
    }

    private static func name(_ name: String, _ fields: inout FieldReader) -> String {
        let text = fields.text(name, length: 1...64)
        if text.utf8.contains(where: { !(0x21...0x7E).contains($0) }) {
            fields.refuse(name, code: "not_ascii", zh: "应为可见 ASCII 字符", en: "must be visible ASCII characters")
        }
        return text
    }

    private static func bytes(ofHexadecimal text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var high: UInt8?
        for byte in text.utf8 {
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue.map(UInt8.init) else { return nil }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? bytes : nil
    }
}
