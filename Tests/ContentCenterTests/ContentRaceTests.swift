import DTO
import Foundation
import HTTPCore
import HTTPServing
import Messaging
import Testing

@testable import ContentCenter

/// Many hands on one content: no edit is lost, and the history has no hole.
@Suite struct ContentRaceTests {
    @Test func ofFiftyEditsOfOneVersionOneWins() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            for round in 1...3 {
                let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                    for index in 0..<50 {
                        group.addTask {
                            try await service.patch(
                                content.id, ContentPatch(title: "第 \(round) 轮第 \(index) 人"), ifVersion: round
                            ).status.code
                        }
                    }
                    return try await group.reduce(into: [Int]()) { $0.append($1) }
                }
                #expect(statuses.filter { $0 == 200 }.count == 1)
                #expect(statuses.filter { $0 == 412 }.count == 49)
            }
            let versions = try await service.send(.get, "/v1/contents/\(content.id.lowercase)/versions")
                .decode(Page<ContentVersion>.self).items
            #expect(versions.map(\.version) == [4, 3, 2, 1])
            #expect(Set(versions.map(\.title)).count == 4)
            let events = try await service.events()
            #expect(events.map(\.version) == [1, 2, 3, 4])
            let newest = try await service.send(.get, "/v1/contents/\(content.id.lowercase)").decode(Content.self)
            #expect(newest.title == versions[0].title)
        }
    }

    /// Each of twenty edits, made again from what it then finds until it is taken, is there in the end.
    @Test func editsThatAreTriedAgainAllArrive() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let path = "/v1/contents/\(content.id.lowercase)"
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<20 {
                    group.addTask {
                        while true {
                            let seen = try await service.send(.get, path).decode(Content.self)
                            let patch = ContentPatch(title: seen.title + "·\(index)")
                            let answer = try await service.patch(content.id, patch, ifVersion: seen.version)
                            if answer.status == .ok { return }
                            #expect(answer.status == .preconditionFailed)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let newest = try await service.send(.get, path).decode(Content.self)
            #expect(newest.version == 21)
            #expect(Set(newest.title.split(separator: "·").dropFirst()) == Set((0..<20).map { Substring("\($0)") }))
        }
    }

    /// Reviews and edits at the same time: revisions and events are one line without a gap, and no approval stands on an edited text.
    @Test func reviewsAndEditsMakeOneLine() async throws {
        try await ContentCenterHarness.run { service in
            let content = try await service.create()
            let path = "/v1/contents/\(content.id.lowercase)"
            try await withThrowingTaskGroup(of: Void.self) { group in
                for hand in 0..<8 {
                    group.addTask {
                        for turn in 0..<5 {
                            let seen = try await service.send(.get, path).decode(Content.self)
                            let tag = "\(seen.version)"
                            switch hand % 4 {
                            case 0:
                                _ = try await service.patch(
                                    content.id, ContentPatch(title: "\(hand)-\(turn)"), ifVersion: seen.version)
                            case 1: _ = try await service.review(content.id, .submit, tag: tag)
                            case 2: _ = try await service.review(content.id, .approve, tag: tag, subject: "boss")
                            default: _ = try await service.review(content.id, .hold, tag: tag, subject: "boss")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let newest = try await service.send(.get, path).decode(Content.self)
            let events = try await service.events()
            #expect(events.map(\.version) == Array(1...Int64(newest.revision)))
            let reviews = try await service.reviews(of: content.id).reversed()
            for (before, after) in zip(reviews, reviews.dropFirst()) { #expect(before.to == after.from) }
        }
    }
}
