import FoundationEssentials

/// What tokens cost, as data. Amounts are in 1e-9 of the currency unit per token, so a price per million tokens has three
/// decimals at most: 0.15 USD per million = 150.
struct PriceTable: Sendable {
    struct Rates: Sendable, Equatable {
        let cachedPrompt: Int64
        let prompt: Int64
        let completion: Int64
        /// Per picture; `nil`: the model has no price per picture.
        var image: Int64?

        /// No work costs more: ten million of the currency. Sums of such amounts stay within 64 bits, here and in the database.
        static let mostCost: Int64 = 10_000_000_000_000_000

        func cost(prompt: Int, cached: Int = 0, completion: Int) -> Int64 {
            var sum: Int64 = 0
            for (tokens, rate) in [(prompt - cached, self.prompt), (cached, cachedPrompt), (completion, self.completion)] {
                let (part, isTooMuch) = Int64(tokens).multipliedReportingOverflow(by: rate)
                guard !isTooMuch, part <= Self.mostCost - sum else { return Self.mostCost }
                sum += part
            }
            return sum
        }
    }

    struct Entry: Sendable {
        let provider: String
        /// Names under which the model answers; a dated snapshot (`gpt-4o-mini-2024-07-18`) counts as its model.
        let models: [String]
        /// First instant of the price; a later entry for the same model replaces it from its own.
        let validFrom: Date
        let rates: Rates
        /// Where the vendor charges more at busy hours.
        let peakRates: Rates?
        let source: String
        /// When `peakRates` hold; where nobody knows, always: too high rather than too low.
        var peakHours: BusyHours?
    }

    struct Price: Sendable, Equatable {
        /// Names provider, model, first day and band, e.g. `deepseek/deepseek-flash@2026-10-01/peak`.
        let version: String
        let rates: Rates

        /// Cached prompt tokens are part of the prompt tokens; hidden reasoning is part of the completion tokens.
        func cost(of usage: ChatUsage) -> Int64 {
            rates.cost(
                prompt: usage.promptTokens, cached: min(usage.cachedPromptTokens, usage.promptTokens),
                completion: usage.completionTokens)
        }
    }

    /// One currency for all entries, so that the attempts of an operation add up exactly. ISO 4217.
    let currency: String
    let entries: [Entry]

    /// The price of a call that was sent at `instant`; `nil` for a model without one. The instant of sending decides the band:
    /// vendors do not say which they take, and this one is known before the call.
    func price(provider: String, model: String, at instant: Date) -> Price? {
        guard let entry = entry(provider: provider, model: model, at: instant), let name = entry.models.first else { return nil }
        let day = Self.day(of: entry.validFrom)
        guard let peakRates = entry.peakRates else {
            return Price(version: "\(provider)/\(name)@\(day)", rates: entry.rates)
        }
        let isPeak = entry.peakHours?.contains(instant) ?? true
        return Price(
            version: "\(provider)/\(name)@\(day)/\(isPeak ? "peak" : "off-peak")", rates: isPeak ? peakRates : entry.rates)
    }

    /// Zero is a price; none is not.
    func hasPrice(of route: ModelRoute, at instant: Date) -> Bool {
        entry(provider: route.provider, model: route.modelName, at: instant) != nil
    }

    /// The one that holds at `instant`; the closest name wins, then the latest.
    private func entry(provider: String, model: String, at instant: Date) -> Entry? {
        entries
            .filter { $0.provider == provider && $0.validFrom <= instant }
            .compactMap { entry -> (Entry, Int)? in
                let lengths = entry.models.filter { model == $0 || Self.isSnapshot(model, of: $0) }.map(\.utf8.count)
                return lengths.max().map { (entry, $0) }
            }
            .max { ($0.1, $0.0.validFrom) < ($1.1, $1.0.validFrom) }?.0
    }

    /// What a picture costs that was asked for at `instant`; `nil` for a model without a price per picture.
    func imagePrice(provider: String, model: String, at instant: Date) -> (version: String, nano: Int64)? {
        guard let entry = entry(provider: provider, model: model, at: instant), let name = entry.models.first,
            let nano = entry.rates.image
        else { return nil }
        return ("\(provider)/\(name)@\(Self.day(of: entry.validFrom))", nano)
    }

    /// The dearest that any entry holds for the model, each rate by itself: what a call may cost at most.
    func dearest(provider: String, model: String) -> Rates? {
        let all = entries.filter { entry in
            entry.provider == provider && entry.models.contains { model == $0 || Self.isSnapshot(model, of: $0) }
        }.flatMap { [$0.rates, $0.peakRates ?? $0.rates] }
        guard let completion = all.map(\.completion).max(), let cached = all.map(\.cachedPrompt).max(),
            let prompt = all.map(\.prompt).max()
        else { return nil }
        return Rates(cachedPrompt: cached, prompt: max(prompt, cached), completion: completion)
    }

    /// `gpt-4o-mini-2024-07-18` is a snapshot of `gpt-4o-mini`; `gpt-4o-mini` is none of `gpt-4o`.
    static func isSnapshot(_ model: String, of name: String) -> Bool {
        model.hasPrefix(name + "-") && model.dropFirst(name.count + 1).first?.isNumber == true
    }

    private static func day(of date: Date) -> String {
        let parts = CivilTime(secondsSince1970: Int(date.timeIntervalSince1970.rounded(.down)))
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.year)-\(two(parts.month))-\(two(parts.day))"
    }

    /// The seeded prices, in US dollars.
    static let standard = PriceTable(
        currency: "USD",
        entries: [
            Entry(
                provider: "deepseek", models: ["deepseek-flash", "deepseek-v4-flash"], validFrom: day(2026, 10, 1),
                rates: Rates(cachedPrompt: 3, prompt: 150, completion: 600),
                peakRates: Rates(cachedPrompt: 6, prompt: 300, completion: 1200),
                source: "api-docs.deepseek.com pricing, October 2026", peakHours: .deepSeek),
            Entry(
                provider: "deepseek", models: ["deepseek-v4-pro"], validFrom: day(2026, 10, 1),
                rates: Rates(cachedPrompt: 22, prompt: 660, completion: 1980),
                peakRates: Rates(cachedPrompt: 44, prompt: 1320, completion: 3960),
                source: "api-docs.deepseek.com pricing, October 2026", peakHours: .deepSeek),
            Entry(
                provider: "openai", models: ["gpt-4o-mini"], validFrom: day(2024, 7, 18),
                rates: Rates(cachedPrompt: 75, prompt: 150, completion: 600), peakRates: nil, source: "openai.com/api/pricing"),
            Entry(
                provider: "openai", models: ["gpt-4o"], validFrom: day(2024, 10, 1),
                rates: Rates(cachedPrompt: 1250, prompt: 2500, completion: 10_000), peakRates: nil,
                source: "openai.com/api/pricing"),
            Entry(
                provider: "openai", models: ["text-embedding-3-small"], validFrom: day(2024, 1, 25),
                rates: Rates(cachedPrompt: 20, prompt: 20, completion: 0), peakRates: nil, source: "openai.com/api/pricing"),
            Entry(
                provider: "openai", models: ["text-embedding-3-large"], validFrom: day(2024, 1, 25),
                rates: Rates(cachedPrompt: 130, prompt: 130, completion: 0), peakRates: nil, source: "openai.com/api/pricing"),
            // A square picture of 1024 pixels of medium (DALL·E: standard) quality. Vendors charge by size and quality; a price per
            // picture is what a plan can be made with.
            image("gpt-image-1", from: day(2025, 4, 23), nano: 42_000_000),
            image("gpt-image-1-mini", from: day(2025, 10, 6), nano: 11_000_000),
            image("dall-e-3", from: day(2023, 11, 6), nano: 40_000_000),
            image("dall-e-2", from: day(2022, 11, 3), nano: 20_000_000),
        ])

    private static func image(_ model: String, from validFrom: Date, nano: Int64) -> Entry {
        Entry(
            provider: "openai", models: [model], validFrom: validFrom,
            rates: Rates(cachedPrompt: 0, prompt: 0, completion: 0, image: nano), peakRates: nil,
            source: "general knowledge of openai.com/api/pricing, not read anew")
    }

    static func day(_ year: Int, _ month: Int, _ day: Int) -> Date {
        Date(timeIntervalSince1970: Double(CivilTime.days(year: year, month: month, day: day)) * 86_400)
    }
}

/// Date and hour of an instant without a calendar library.
struct CivilTime: Sendable {
    let year: Int
    let month: Int
    let day: Int
    let hour: Int
    /// 0 = Sunday.
    let weekday: Int

    init(secondsSince1970: Int) {
        let days = Int((Double(secondsSince1970) / 86_400).rounded(.down))
        hour = (secondsSince1970 - days * 86_400) / 3_600
        weekday = ((days + 4) % 7 + 7) % 7
        // Days of the proleptic Gregorian calendar, counted in eras of 400 years that begin in March (Hinnant, "chrono-compatible
        // low-level date algorithms").
        let shifted = days + 719_468
        let era = Int((Double(shifted) / 146_097).rounded(.down))
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    static func days(year: Int, month: Int, day: Int) -> Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = Int((Double(shiftedYear) / 400).rounded(.down))
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
