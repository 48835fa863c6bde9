import DTO
import FoundationEssentials
import HTTPCore
import PostgresStore

extension CatalogueStore {
    /// Whether it is the name of a zone, as budgets take it.
    func knows(zone: String) async throws -> Bool { try await BudgetStore(database: app).knows(zone: zone) }

    func prices() async throws -> [PriceTable.Entry] {
        let rows = try await system.query("SELECT * FROM model_prices ORDER BY provider, model, valid_from")
        var zones: [String: ZoneOffsets] = [:]
        var entries: [PriceTable.Entry] = []
        for row in rows {
            var hours: BusyHours?
            if let stored = try row.decode("peak_hours", as: JSONText?.self) {
                let read = try JSON.decode(PeakHours.self, from: stored.bytes)
                let known = zones[read.zone]
                let offsets = if let known { known } else { try await offsets(of: read.zone) }
                zones[read.zone] = offsets
                hours = BusyHours(read, offsets: offsets)
            }
            entries.append(try Self.price(row, hours))
        }
        return entries
    }

    /// Day by day from the first prices to ten years ahead, and by the quarter of an hour where a clock was changed. Whoever has run
    /// for so long without any change of the catalogue keeps the last offset.
    private func offsets(of zone: String) async throws -> ZoneOffsets {
        let rows = try await system.query(
            """
            WITH days AS (
                SELECT t, extract(epoch FROM (t AT TIME ZONE \(zone)::text) - (t AT TIME ZONE 'UTC'))::integer AS o
                FROM generate_series(timestamptz '2024-01-01 00:00Z', app_now() + interval '10 years', interval '1 day') t
            ), pairs AS (SELECT t, o, lag(t) OVER (ORDER BY t) AS t0, lag(o) OVER (ORDER BY t) AS o0 FROM days)
            SELECT extract(epoch FROM s)::bigint AS at,
                   extract(epoch FROM (s AT TIME ZONE \(zone)::text) - (s AT TIME ZONE 'UTC'))::integer AS seconds
            FROM pairs CROSS JOIN LATERAL generate_series(coalesce(t0, t), t, interval '15 minutes') s
            WHERE o <> o0 OR o0 IS NULL
            ORDER BY s
            """)
        return ZoneOffsets(samples: try rows.map { .init(at: try $0.decode("at"), offset: try $0.decode("seconds")) })
    }

    private static func price(_ row: Row, _ hours: BusyHours?) throws -> PriceTable.Entry {
        let peak: PriceTable.Rates? =
            if let prompt = try row.decode("peak_prompt_nano", as: Int64?.self) {
                .init(
                    cachedPrompt: try row.decode("peak_cached_prompt_nano"), prompt: prompt,
                    completion: try row.decode("peak_completion_nano"))
            } else {
                nil
            }
        return PriceTable.Entry(
            provider: try row.decode("provider"), models: [try row.decode("model")], validFrom: try row.decode("valid_from"),
            rates: .init(
                cachedPrompt: try row.decode("cached_prompt_nano"), prompt: try row.decode("prompt_nano"),
                completion: try row.decode("completion_nano"), image: try row.decode("image_nano")),
            peakRates: peak, source: try row.decode("source"), peakHours: hours)
    }
}
