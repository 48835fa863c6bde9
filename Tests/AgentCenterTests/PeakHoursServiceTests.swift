import DTO
import Foundation
import HTTPCore
import HTTPServing
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import AgentCenter

/// `POST /v1/ai/prices` with rates by the time of day.
@Suite("Peak hours as data")
struct PeakHoursServiceTests {
    private static func post(_ service: TitleService, _ body: JSONObject) async throws -> TestResponse {
        let platform = TestContext.principal(roles: ["system_admin"], scopes: ["ai:admin", "ai:usage"])
        let headers = try TestContext.headers(from: .gatewayBFF, to: .agentCenter, as: platform)
        return try await service.app.client.send(.post, "/v1/ai/prices", headers: headers, json: .object(body))
    }

    private static let hours: JSONValue = [
        "zone": "America/New_York", "days": ["mon", "tue", "wed", "thu", "fri"], "ranges": [["from": "09:00", "until": "17:30"]],
        "except": ["2027-07-05"],
    ]

    private static func price(hours: JSONValue? = hours) throws -> JSONObject {
        let body: JSONValue = [
            "provider": "openai", "model": "gpt-4o", "validFrom": "2027-01-01T00:00:00Z", "source": "test",
            "rates": ["promptNano": "1", "cachedPromptNano": "1", "completionNano": "1"],
            "peakRates": ["promptNano": "9", "cachedPromptNano": "9", "completionNano": "9"],
        ]
        var object = try #require(body.object)
        object["peakHours"] = hours
        return object
    }

    @Test("A price's hours follow its zone's clock, also through summer time, and are shown as they were given")
    func zone() async throws {
        try await TitleService.run { service in
            let made = try await Self.post(service, Self.price())
            #expect(made.status == .created, "\(made.text)")
            let shown = try made.decode(ModelPrice.self)
            #expect(
                shown.peakHours?.zone == "America/New_York" && shown.peakHours?.ranges == [.init(from: "09:00", until: "17:30")])
            #expect(shown.peakHours?.except == ["2027-07-05"])

            let runtime = service.app.runtime
            let store = CatalogueStore(app: runtime.database, system: runtime.system)
            let (common, _) = try await store.changes().applied(to: .seeded([])) { _, _ in nil }
            let cases = [
                ("2027-01-15T13:59:59Z", "off-peak"), ("2027-01-15T14:00:00Z", "peak"), ("2027-01-15T22:29:59Z", "peak"),
                ("2027-01-15T22:30:00Z", "off-peak"), ("2027-07-15T12:59:59Z", "off-peak"), ("2027-07-15T13:00:00Z", "peak"),
                // Summer time begins on 14 March; the day before it, a holiday, and a Sunday.
                ("2027-03-12T13:30:00Z", "off-peak"), ("2027-03-15T13:30:00Z", "peak"), ("2027-07-05T15:00:00Z", "off-peak"),
                ("2027-07-18T15:00:00Z", "off-peak"),
            ]
            for (text, band) in cases {
                let instant = try #require(RFC3339.parse(text))
                let price = common.prices.price(provider: "openai", model: "gpt-4o", at: instant)
                #expect(price?.version == "openai/gpt-4o@2027-01-01/\(band)", "\(text)")
            }
            // What was seeded has hours of its own.
            let seeded = common.prices.entries.first { $0.models.contains("deepseek-flash") }
            #expect(seeded?.peakHours == .deepSeek)
        }
    }

    @Test("Hours that are none are told field by field, and nothing is stored")
    func badInput() async throws {
        try await TitleService.run { service in
            func hours(_ change: (inout JSONObject) -> Void) throws -> JSONValue {
                var object = try #require(Self.hours.object)
                change(&object)
                return .object(object)
            }
            let cases: [(JSONValue?, [String])] = [
                (nil, ["/peakHours"]),
                (try hours { $0["zone"] = "Mars/Olympus" }, ["/peakHours/zone"]),
                (try hours { $0["days"] = ["mon", "funday"] }, ["/peakHours/days/1"]),
                (try hours { $0["days"] = [] }, ["/peakHours/days"]),
                (
                    try hours { $0["ranges"] = [["from": "12:00", "until": "12:00"], ["from": "9:00", "until": "24:01"]] },
                    ["/peakHours/ranges/0/until", "/peakHours/ranges/1/from", "/peakHours/ranges/1/until"]
                ),
                (
                    try hours { $0["except"] = ["2027-02-29", "2028-02-29", "07/05/2027"] },
                    ["/peakHours/except/0", "/peakHours/except/2"]
                ),
            ]
            for (hours, pointers) in cases {
                let refused = try await Self.post(service, Self.price(hours: hours))
                #expect(refused.status == .unprocessableContent, "\(refused.text)")
                #expect(try refused.problem().errors?.map(\.pointer) == pointers)
            }
            var without = try Self.price()
            without["peakRates"] = nil
            #expect(try await Self.post(service, without).problem().errors?.map(\.pointer) == ["/peakRates"])
            let rows = try await service.database.superuser.query("SELECT count(*) AS n FROM model_prices").only
            #expect(try rows.decode("n", as: Int64.self) == 0)
        }
    }
}
