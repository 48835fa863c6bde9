import DTO
import Foundation
import HTTPCore
import Messaging
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import ContentCenter

@Suite struct ContentPerformanceTests {
    @Test(arguments: [
        (PerformanceScore(plays: 0, likes: 0, comments: 0, shares: 0), 0),
        (PerformanceScore(plays: 1_000_000, likes: 0, comments: 0, shares: 0), 60),
        (PerformanceScore(plays: 1_000_000, likes: 110_000, comments: 0, shares: 0), 100),
        (PerformanceScore(plays: 90_000_000, likes: 50_000_000, comments: 9, shares: 9), 100),
        // Magnitude 9.953 of 19.907, engagement (50 + 2·10 + 3·5) ÷ 1,100 of 0.1.
        (PerformanceScore(plays: 1_000, likes: 50, comments: 10, shares: 5), 45),
        // Pictures whose plays nobody reports.
        (PerformanceScore(plays: 0, likes: 1_000, comments: 0, shares: 0), 50),
    ]) func isWorthItsReachAndItsEngagement(score: PerformanceScore, points: Int) {
        #expect(score.points == points)
    }

    @Test func moreIsNeverWorthLess() {
        var before = 0
        for step in 0..<400 {
            let plays = Int(1.05 * Double(step) * Double(step) * Double(step))
            let points = PerformanceScore(plays: plays, likes: plays / 20, comments: 0, shares: 0).points
            #expect(points >= before)
            before = points
        }
    }

    // MARK: What was measured

    private static func measurement(
        of content: UUID, plays: Int, version: Int64, account: UUID, tenant: UUID = ContentCenterHarness.tenant
    ) throws -> CloudEvent {
        let data = ContentPerformanceMeasured(
            contentId: content, accountId: account, platform: "douyin", plays: plays, likes: plays / 10, comments: 0, shares: 0)
        return CloudEvent(
            id: .version7(), source: "delivery-connector-douyin", type: ContentPerformanceMeasured.type,
            subject: content.uuidString.lowercased(), time: Date(timeIntervalSince1970: 1_800_000_000), tenantId: tenant,
            version: version, data: try JSON.encode(data))
    }

    private static func record(_ event: CloudEvent, _ service: ContentCenterHarness) async throws {
        try await ContentPerformanceConsumer(store: ContentPerformanceStore(database: service.database.app)).record(event)
    }

    private static func points(_ content: UUID, _ service: ContentCenterHarness) async throws -> Int {
        try await service.database.superuser.query("SELECT performance FROM search_documents WHERE id = \(content)").only
            .decode("performance")
    }

    @Test func whatDoesWellComesFirstAmongEquals() async throws {
        try await ContentCenterHarness.run { service in
            let good = try await service.copy("油皮防晒", "清爽")
            let late = try await service.copy("油皮防晒", "不闷")
            let best = try await service.copy("油皮防晒", "防水")
            let account = UUID.version7()
            // One before the index knows the content, the others after.
            try await Self.record(Self.measurement(of: best.id, plays: 900_000, version: 1, account: account), service)
            try await service.indexer.takeInAll()
            try await Self.record(Self.measurement(of: good.id, plays: 5_000, version: 1, account: account), service)
            let found = try await service.find("油皮防晒").items
            #expect(found.compactMap(\.content?.id) == [best.id, good.id, late.id])
            #expect(found[0].score - found[2].score == 99)
            // An edit takes the content in anew and forgets nothing.
            _ = try await service.indexer.listAll(of: nil)
            try await service.indexer.takeInAll()
            #expect(try await service.find("油皮防晒").contents.map(\.id) == [best.id, good.id, late.id])
        }
    }

    /// Three measurements of one account and one of another, each twice.
    @Test func everyOrderEndsTheSame() async throws {
        try await ContentCenterHarness.run { service in
            let accounts = [UUID.version7(), UUID.version7()]
            let content = try await service.copy("油皮防晒", "清爽")
            try await service.indexer.takeInAll()
            let expected = PerformanceScore(plays: 3_000, likes: 300, comments: 0, shares: 0).points
            for order in permutations([0, 1, 2, 3]) {
                _ = try await service.database.superuser.query("DELETE FROM content_performance")
                _ = try await service.database.superuser.query("UPDATE search_documents SET performance = 0")
                let events = try [
                    Self.measurement(of: content.id, plays: 100, version: 1, account: accounts[0]),
                    Self.measurement(of: content.id, plays: 1_000, version: 2, account: accounts[0]),
                    // Platforms take plays back.
                    Self.measurement(of: content.id, plays: 900, version: 3, account: accounts[0]),
                    Self.measurement(of: content.id, plays: 2_100, version: 1, account: accounts[1]),
                ]
                for index in order.flatMap({ [$0, $0] }) { try await Self.record(events[index], service) }
                #expect(try await Self.points(content.id, service) == expected, "\(order)")
            }
        }
    }

    @Test func whatIsNotThereHasNoEffect() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.copy("油皮防晒", "清爽")
            let foreign = try Self.measurement(
                of: content.id, plays: 9, version: 1, account: .version7(), tenant: .version7())
            try await Self.record(foreign, service)
            try await Self.record(Self.measurement(of: .version7(), plays: 9, version: 1, account: .version7()), service)
            #expect(try await service.count("content_performance") == 0)
            for plays in [-1, Int.max] {
                await #expect(throws: PermanentFailure.self) {
                    try await Self.record(
                        Self.measurement(of: content.id, plays: plays, version: 1, account: .version7()), service)
                }
            }
        }
    }
}
