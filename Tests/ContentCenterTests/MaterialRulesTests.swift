import DTO
import Foundation
import Testing

@testable import ContentCenter

/// The pure rules of closing materials.
@Suite struct MaterialRulesTests {
    @Test func walksTheWholeTableOfApprovals() {
        for status in MaterialStatus.allCases {
            for event in MaterialApproval.Event.allCases {
                let next = MaterialApproval.next(status, event)
                #expect((next == .approved) == (event == .approve && status != .approved), "\(status) \(event)")
                if event == .edit { #expect(next == .draft, "\(status)") }
                if event == .reject { #expect(next == (status == .rejected ? nil : .rejected), "\(status)") }
            }
        }
    }

    private typealias Counts = MaterialRanking.Counts

    @Test func aNewMaterialBeginsInTheMiddle() {
        let new = MaterialRanking.quality(Counts())
        #expect(MaterialRanking.quality(Counts(sent: 50, opened: 1, won: 0)) < new)
        #expect(MaterialRanking.quality(Counts(sent: 50, opened: 30, won: 20)) > new)
        // One lucky win moves it less than a record of many.
        #expect(
            MaterialRanking.quality(Counts(sent: 1, opened: 1, won: 1))
                < MaterialRanking.quality(Counts(sent: 50, opened: 30, won: 20)))
    }

    @Test func moreWinsOfAsManySendingsAreBetterAndMoreSendingsForAsManyWinsWorse() {
        for sent in [1, 10, 500] {
            for won in 0..<min(sent, 20) {
                let (less, more) = (Counts(sent: sent, won: won), Counts(sent: sent, won: won + 1))
                #expect(MaterialRanking.quality(less) < MaterialRanking.quality(more))
                #expect(MaterialRanking.quality(Counts(sent: sent + 1, won: won)) < MaterialRanking.quality(less))
            }
        }
        // A win whose sending nobody told of is no miracle.
        #expect(MaterialRanking.quality(Counts(won: 30)) < 1)
    }

    @Test func halfOfAScoreFadesInNinetyDays() {
        let (then, counts) = (Date(timeIntervalSince1970: 1_790_000_000), Counts(sent: 20, opened: 10, won: 5))
        let fresh = MaterialRanking.score(counts, activeAt: then, now: then)
        let faded = MaterialRanking.score(counts, activeAt: then, now: then.addingTimeInterval(90 * 86_400))
        #expect(abs(fresh - 2 * faded) <= 1)
        #expect(MaterialRanking.score(counts, activeAt: then.addingTimeInterval(60), now: then) == fresh)
    }

    /// What is stored sorts as what is shown, whenever one looks.
    @Test func ranksSortAsScoresDo() {
        let start = Date(timeIntervalSince1970: 1_790_000_000)
        let materials = [Counts(), Counts(sent: 3, won: 3), Counts(sent: 90, opened: 60, won: 30), Counts(sent: 90)].flatMap {
            counts in
            [0.0, 20, 200, 400].map { (counts: counts, activeAt: start.addingTimeInterval($0 * 86_400)) }
        }
        for later in [400.0, 500, 900] {
            let now = start.addingTimeInterval(later * 86_400)
            for one in materials {
                for other in materials {
                    let (score, otherScore) = (
                        MaterialRanking.score(one.counts, activeAt: one.activeAt, now: now),
                        MaterialRanking.score(other.counts, activeAt: other.activeAt, now: now)
                    )
                    guard score > otherScore else { continue }
                    #expect(
                        MaterialRanking.rank(one.counts, activeAt: one.activeAt)
                            > MaterialRanking.rank(other.counts, activeAt: other.activeAt))
                }
            }
        }
    }

    @Test func reasonsNameWhatWasAskedForAndFits() {
        let material = Material(
            id: UUID(), kind: .script, title: "t", text: "x", assetIds: [], stages: ["报价"], industries: [], products: ["会员通"],
            objections: ["太贵"], audience: [], customerFacing: true, status: .approved, reviewNote: nil, reviewedBy: nil,
            reviewedAt: nil, expiresAt: nil, version: 1, createdBy: "a", updatedBy: "a", createdAt: Date(), updatedAt: Date(),
            deletedAt: nil)
        let wish = MaterialWish(stage: "报价", industry: "餐饮", objection: "太贵", limit: 5)
        let unused = MaterialOutcomes(sent: 0, opened: 0, won: 0, score: 140, lastWonAt: nil)
        #expect(wish.reasons(for: material, unused) == ["适合阶段「报价」", "回应异议「太贵」", "尚无使用记录"])
        let used = MaterialOutcomes(sent: 20, opened: 9, won: 3, score: 140, lastWonAt: nil)
        #expect(MaterialWish(limit: 5).reasons(for: material, used) == ["发送 20 次，打开 9 次，成交 3 次"])
        let won = MaterialOutcomes(sent: 0, opened: 0, won: 3, score: 140, lastWonAt: nil)
        #expect(MaterialWish(limit: 5).reasons(for: material, won) == ["发送 0 次，打开 0 次，成交 3 次"])
    }
}
