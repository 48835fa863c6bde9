import FoundationEssentials
import HTTPCore
import Testing

@testable import AgentCenter

@Suite("Prices")
struct PriceTableTests {
    private func instant(_ text: String) throws -> Date { try #require(RFC3339.parse(text)) }

    @Test(
        "DeepSeek's busy hours are Beijing's, Monday to Friday, not on holidays",
        arguments: [
            ("2026-11-20T01:00:00Z", true), ("2026-11-20T00:59:59Z", false), ("2026-11-20T03:59:59Z", true),
            ("2026-11-20T04:00:00Z", false), ("2026-11-20T06:00:00Z", true), ("2026-11-20T09:59:59Z", true),
            ("2026-11-20T10:00:00Z", false), ("2026-11-21T02:00:00Z", false), ("2026-11-22T02:00:00Z", false),
            ("2026-10-05T02:00:00Z", false), ("2026-10-08T02:00:00Z", true), ("2027-01-01T02:00:00Z", false),
        ])
    func peak(text: String, isPeak: Bool) throws {
        let instant = try instant(text)
        #expect(BusyHours.deepSeek.contains(instant) == isPeak)
        let price = PriceTable.standard.price(provider: "deepseek", model: "deepseek-flash", at: instant)
        #expect(price?.version == "deepseek/deepseek-flash@2026-10-01/\(isPeak ? "peak" : "off-peak")")
    }

    @Test("Peak rates hold in the entry's own hours, and always where nobody knows them")
    func ownHours() throws {
        func price(_ hours: BusyHours?, _ text: String) throws -> Int64? {
            let entry = PriceTable.Entry(
                provider: "house", models: ["m"], validFrom: PriceTable.day(2026, 1, 1),
                rates: .init(cachedPrompt: 1, prompt: 1, completion: 1),
                peakRates: .init(cachedPrompt: 9, prompt: 9, completion: 9),
                source: "test", peakHours: hours)
            return PriceTable(currency: "USD", entries: [entry]).price(provider: "house", model: "m", at: try instant(text))?
                .rates.prompt
        }
        // Summer time from the spring on: the same wall time is an hour earlier in UTC.
        let spring = Int(try instant("2026-03-29T01:00:00Z").timeIntervalSince1970)
        let berlin = BusyHours(
            zone: "Europe/Berlin", offsets: .init(samples: [.init(at: 0, offset: 3_600), .init(at: spring, offset: 7_200)]),
            days: [.sat, .sun], spans: [.init(from: 0, until: 90), .init(from: 1_380, until: 1_440)],
            except: [CivilTime.days(year: 2026, month: 3, day: 22)])
        let cases: [(String, Int64)] = [
            ("2026-03-13T22:59:59Z", 1), ("2026-03-13T23:00:00Z", 9), ("2026-03-14T00:29:59Z", 9), ("2026-03-14T00:30:00Z", 1),
            ("2026-03-14T22:00:00Z", 9), ("2026-03-15T23:00:00Z", 1), ("2026-03-22T22:30:00Z", 1),
            ("2026-04-04T21:00:00Z", 9), ("2026-04-03T22:00:00Z", 9), ("2026-04-04T20:59:59Z", 1),
        ]
        for (text, prompt) in cases { #expect(try price(berlin, text) == prompt, "\(text)") }
        #expect(try price(nil, "2026-11-22T02:00:00Z") == 9)
    }

    @Test("A bill by hand: 1,000 prompt tokens of which 600 cached, 200 written, flash")
    func bill() throws {
        let usage = ChatUsage(promptTokens: 1_000, cachedPromptTokens: 600, completionTokens: 200, isEstimated: false)
        let table = PriceTable.standard
        let calm = try #require(
            table.price(provider: "deepseek", model: "deepseek-flash", at: try instant("2026-11-21T02:00:00Z")))
        #expect(calm.version == "deepseek/deepseek-flash@2026-10-01/off-peak")
        #expect(calm.cost(of: usage) == 600 * 3 + 400 * 150 + 200 * 600)
        let busy = try #require(
            table.price(provider: "deepseek", model: "deepseek-flash", at: try instant("2026-11-20T02:00:00Z")))
        #expect(busy.cost(of: usage) == 2 * calm.cost(of: usage))
        let mini = try #require(table.price(provider: "openai", model: "gpt-4o-mini", at: try instant("2026-11-20T02:00:00Z")))
        #expect(mini.cost(of: usage) == 600 * 75 + 400 * 150 + 200 * 600)
    }

    @Test("Snapshots are priced as their model; strangers are not priced; prices begin on their day")
    func names() throws {
        let now = try instant("2026-11-20T12:00:00Z")
        let table = PriceTable.standard
        #expect(
            table.price(provider: "openai", model: "gpt-4o-mini-2024-07-18", at: now)?.version == "openai/gpt-4o-mini@2024-07-18")
        #expect(table.price(provider: "openai", model: "gpt-4o-2024-11-20", at: now)?.version == "openai/gpt-4o@2024-10-01")
        #expect(table.price(provider: "deepseek", model: "deepseek-v4-flash", at: now)?.rates.prompt == 150)
        #expect(table.price(provider: "openai", model: "gpt-4o-mini-tts", at: now) == nil)
        #expect(table.price(provider: "openai", model: "deepseek-flash", at: now) == nil)
        #expect(table.price(provider: "deepseek", model: "deepseek-flash", at: try instant("2026-09-30T23:59:59Z")) == nil)
    }

    @Test("Amounts end at a bound instead of leaving 64 bits, and the dearest price is so in each of its rates")
    func bounds() {
        let rates = PriceTable.Rates(cachedPrompt: 0, prompt: 999_999_999_999, completion: 999_999_999_999)
        #expect(rates.cost(prompt: 100_000_000, completion: 100_000_000) == PriceTable.Rates.mostCost)
        #expect(rates.cost(prompt: .max, completion: .max) == PriceTable.Rates.mostCost)
        #expect(rates.cost(prompt: 3, cached: 2, completion: 0) == 999_999_999_999)

        func entry(_ year: Int, _ prompt: Int64, _ completion: Int64) -> PriceTable.Entry {
            .init(
                provider: "house", models: ["m"], validFrom: PriceTable.day(year, 1, 1),
                rates: .init(cachedPrompt: 1, prompt: prompt, completion: completion), peakRates: nil, source: "test")
        }
        let table = PriceTable(currency: "USD", entries: [entry(2026, 9, 2), entry(2027, 3, 4)])
        #expect(table.dearest(provider: "house", model: "m") == .init(cachedPrompt: 1, prompt: 9, completion: 4))
        #expect(table.dearest(provider: "house", model: "n") == nil)
    }

    @Test(
        "The calendar agrees with known days",
        arguments: [
            (0, 1970, 1, 1, 4), (951_782_400, 2000, 2, 29, 2), (1_795_132_800, 2026, 11, 20, 5), (-86_400, 1969, 12, 31, 3),
        ])
    func calendar(seconds: Int, year: Int, month: Int, day: Int, weekday: Int) {
        let time = CivilTime(secondsSince1970: seconds)
        #expect([time.year, time.month, time.day, time.weekday] == [year, month, day, weekday])
        #expect(CivilTime.days(year: year, month: month, day: day) * 86_400 == seconds)
    }
    @Test("Pictures have a price of their own, and models of text have none")
    func pictures() throws {
        let day = PriceTable.day(2026, 11, 20)
        let image = try #require(PriceTable.standard.imagePrice(provider: "openai", model: "gpt-image-1", at: day))
        #expect(image.nano == 42_000_000 && image.version == "openai/gpt-image-1@2025-04-23")
        #expect(PriceTable.standard.imagePrice(provider: "openai", model: "dall-e-3", at: day)?.nano == 40_000_000)
        #expect(PriceTable.standard.imagePrice(provider: "openai", model: "gpt-4o", at: day) == nil)
        #expect(PriceTable.standard.imagePrice(provider: "house", model: "gpt-image-1", at: day) == nil)
        // Before the vendor sold it.
        #expect(PriceTable.standard.imagePrice(provider: "openai", model: "gpt-image-1", at: PriceTable.day(2025, 4, 1)) == nil)
    }
}
