import DTO
import FoundationEssentials
import HTTPCore

/// The input rules of prices.
extension CatalogueInput {
    /// A price holds from an instant that has not passed: what was charged stays as it was.
    static func price(_ json: JSONValue, in catalogue: ModelCatalogue, now: Date) throws -> (PriceTable.Entry, model: String) {
        var fields = FieldReader(json)
        let provider = fields.text("provider", length: 1...64)
        let model = fields.text("model", length: 1...64)
        let validFrom = fields.optionalDate("validFrom")
        let rates = fields.object("rates", Self.rates)
        let peakRates = fields.optionalObject("peakRates", Self.rates)
        let peakHours = fields.optionalObject("peakHours", Self.hours)
        for (name, other) in [("peakHours", "peakRates"), ("peakRates", "peakHours")] where fields.has(other) && !fields.has(name)
        {
            fields.refuse(name, code: "required", zh: "与 \(other) 须同时给出", en: "is required with \(other)")
        }
        let source = fields.text("source", length: 1...300)
        // Models that make pictures have a price, and are none that text can be asked of.
        if !catalogue.prices.entries.contains(where: { $0.provider == provider && $0.models.contains(model) }) {
            requireModel(model, of: provider, in: catalogue, &fields)
        }
        requireDate(validFrom, "validFrom", &fields)
        if let validFrom, validFrom < now {
            fields.refuse(
                "validFrom", code: "in_the_past", zh: "价格不能追溯生效", en: "a price cannot hold for what was charged already")
        }
        try fields.finish()
        let nothing = PriceTable.Rates(cachedPrompt: 0, prompt: 0, completion: 0)
        return (
            PriceTable.Entry(
                provider: provider, models: [model], validFrom: validFrom ?? now, rates: rates ?? nothing, peakRates: peakRates,
                source: source, peakHours: peakHours), model
        )
    }

    private static func rates(_ fields: inout FieldReader) -> PriceTable.Rates {
        func amount(_ name: String) -> Int64 { number(fields.text(name, length: 1...12), name) }
        func number(_ text: String, _ name: String) -> Int64 {
            if let value = Int64(text), value >= 0, text.allSatisfy(\.isNumber) { return value }
            if !text.isEmpty {
                fields.refuse(name, code: "not_an_amount", zh: "应为十进制整数字符串", en: "must be a decimal integer as a string")
            }
            return 0
        }
        return PriceTable.Rates(
            cachedPrompt: amount("cachedPromptNano"), prompt: amount("promptNano"), completion: amount("completionNano"),
            image: fields.optionalText("imageNano", length: 1...12).map { number($0, "imageNano") })
    }

    private static func hours(_ fields: inout FieldReader) -> BusyHours {
        let zone = fields.text("zone", length: 1...64)
        let days = fields.choices("days", of: BusyHours.Day.self, minItems: 1)
        let spans = fields.objectList("ranges", minItems: 1, maxItems: 24) { range in
            let (from, until) = (minute("from", &range), minute("until", &range))
            if let from, let until, until <= from {
                range.refuse("until", code: "before_start", zh: "应晚于 from", en: "must be after from")
            }
            return BusyHours.Span(from: from ?? 0, until: until ?? 0)
        }
        let dates = fields.textList("except", maxItems: 400, length: 10...10)
        let except = dates.enumerated().compactMap { index, text in
            let day = PeakHours.day(text)
            if day == nil {
                fields.refuse("except", item: index, code: "malformed", zh: "应为日期 YYYY-MM-DD", en: "must be a date YYYY-MM-DD")
            }
            return day
        }
        // Its offsets come with the next reading: the database knows the zones.
        return BusyHours(zone: zone, offsets: .fixed(0), days: Set(days), spans: spans, except: Set(except))
    }

    private static func minute(_ name: String, _ fields: inout FieldReader) -> Int? {
        let text = fields.text(name, length: 5...5)
        if let minute = PeakHours.minute(text) { return minute }
        if !text.isEmpty {
            fields.refuse(name, code: "malformed", zh: "应为 00:00 至 24:00 的时刻", en: "must be a time from 00:00 to 24:00")
        }
        return nil
    }
}

extension PeakHours {
    /// In minutes; `nil` for what is no time of day.
    static func minute(_ text: String) -> Int? {
        let parts = numbers(text, separator: ":", lengths: [2, 2])
        guard parts.count == 2, parts[1] < 60, parts[0] * 60 + parts[1] <= 1_440 else { return nil }
        return parts[0] * 60 + parts[1]
    }

    /// Since 1970; `nil` for what is no date.
    static func day(_ text: String) -> Int? {
        let parts = numbers(text, separator: "-", lengths: [4, 2, 2])
        guard parts.count == 3, (1...12).contains(parts[1]), (1...31).contains(parts[2]) else { return nil }
        let day = CivilTime.days(year: parts[0], month: parts[1], day: parts[2])
        let read = CivilTime(secondsSince1970: day * 86_400)
        return [read.year, read.month, read.day] == parts ? day : nil
    }

    private static func numbers(_ text: String, separator: Character, lengths: [Int]) -> [Int] {
        let parts = text.split(separator: separator, omittingEmptySubsequences: false)
        let isWell = parts.map(\.utf8.count) == lengths && parts.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        return isWell ? parts.compactMap { Int($0) } : []
    }
}
