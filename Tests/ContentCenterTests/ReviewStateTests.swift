import DTO
import HTTPCore
import Testing

@testable import ContentCenter

@Suite struct ReviewStateTests {
    private let places =
        ContentStatus.allCases.filter { $0 != .onHold }.map { ReviewState(status: $0) }
        + [.draft, .inReview, .changesRequested, .approved].map { ReviewState(status: .onHold, heldFrom: $0) }

    /// Every event in every state: what the table does not list is refused, and where it leads is a state that has a hold exactly when it
    /// remembers from where.
    @Test func walksTheWholeTable() {
        for place in places {
            for event in ReviewState.Event.allCases {
                let next = place.next(event)
                let isListed = ReviewState.transitions[place.status]?[event] != nil
                #expect((next != nil) == (isListed || event == .edit), "\(place) \(event)")
                if let next { #expect((next.status == .onHold) == (next.heldFrom != nil), "\(place) \(event)") }
            }
        }
    }

    /// What a Chinese reader is told holds no identifiers.
    @Test func refusalsNameStatesAndActionsInChinese() {
        let failures: [any HTTPFailure] =
            ContentStatus.allCases.flatMap { status -> [any HTTPFailure] in
                ReviewAction.allCases.map { ReviewError.wrongState(status, $0) }
                    + [FilingError.inUse(status), FilingError.beingPublished(status)]
            } + MaterialStatus.allCases.map { MaterialError.wrongStatus($0) }
            + ContentKind.allCases.map { ContentsError.otherKind($0) }
        for failure in failures {
            let problem = failure.problem
            let words = ([problem.detail] + problem.issues.map(\.message)).compactMap { $0?.zh }
            #expect(!words.joined().utf8.contains { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A }, "\(words)")
        }
        let withdrawn = ReviewError.wrongState(.draft, .withdraw).problem.detail?.zh
        #expect(withdrawn == "内容状态为“草稿”，不能“撤回”。")
    }

    @Test func onlyAReviewLeadsToAnApproval() {
        let ways = places.flatMap { place in ReviewState.Event.allCases.map { (place, $0) } }
            .filter { $0.0.status != .approved && $0.0.next($0.1)?.status == .approved }
        #expect(ways.map(\.1) == [.approve, .release])
        #expect(ways.map(\.0) == [ReviewState(status: .inReview), ReviewState(status: .onHold, heldFrom: .approved)])
    }

    /// Whatever somebody released, an edit takes back, also under hold; no edit is ever refused.
    @Test func noEditLeavesAnApprovalStanding() {
        for place in places {
            let edited = place.next(.edit)
            #expect(edited != nil)
            for status in [edited?.status, edited?.heldFrom, edited?.next(.release)?.status] {
                #expect(status != .approved && status != .published && status != .scheduled, "\(place)")
            }
        }
    }

    @Test func anEditUnderReviewStaysUnderReview() {
        for status in [ContentStatus.draft, .inReview, .changesRequested] {
            #expect(ReviewState(status: status).next(.edit) == ReviewState(status: status))
        }
    }

    @Test func aReleaseLeadsBack() {
        for status in [ContentStatus.draft, .inReview, .changesRequested, .approved] {
            #expect(ReviewState(status: status).next(.hold)?.next(.release) == ReviewState(status: status))
        }
    }
}
