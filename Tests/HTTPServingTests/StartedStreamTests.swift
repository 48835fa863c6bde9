import ConcurrencySupport
import HTTPCore
import HTTPServing
import TestSupport
import Testing

@Suite("Answers that have begun before their head")
struct StartedStreamTests {
    private struct Refused: HTTPFailure {
        var problem: ProblemDescription {
            ProblemDescription(status: .conflict, code: "test.refused", title: LocalizedText(zh: "否", en: "no"))
        }
    }

    private func client(_ produce: @escaping @Sendable (StartedStream) async throws -> Void) -> InProcessClient {
        var router = Router()
        router.on(.get, "/stream") { _ in try await .started(headers: ["Content-Type": "text/plain"], produce) }
        return InProcessClient(router)
    }

    @Test("What is thrown before the first word is a status; afterwards it cuts the answer off")
    func failures() async throws {
        let early = try await client { _ in throw Refused() }.send(.get, "/stream")
        #expect(early.status == .conflict)
        let late = client { stream in
            try await stream.write(Array("one".utf8))
            throw Refused()
        }
        await #expect(throws: TruncatedAnswer.self) { try await late.send(.get, "/stream") }
        let good = try await client { stream in
            #expect(!stream.hasBegun)
            for word in ["one", "two"] { try await stream.write(Array(word.utf8)) }
        }.send(.get, "/stream")
        #expect(good.status == .ok && good.text == "onetwo" && good.headers["Content-Type"] == "text/plain")
        #expect(try await client { _ in }.send(.get, "/stream").text == "")
    }

    @Test("A client that leaves cancels the work, before the first word and after it", arguments: [true, false])
    func leaving(hasBegun: Bool) async throws {
        let (started, cancelled) = (OneShot<Void>(), OneShot<Void>())
        let client = client { stream in
            if hasBegun { try await stream.write([0x61]) }
            started.succeed()
            do {
                try await OneShot<Void>().value()
            } catch {
                cancelled.succeed()
                throw error
            }
        }
        let work = Task { try await client.open(.get, "/stream") }
        if hasBegun {
            let stream = try await work.value
            _ = try await stream.read()
            try await started.value()
            stream.close()
        } else {
            try await started.value()
            work.cancel()
        }
        try await cancelled.value()
    }

    @Test("A writer that is cancelled before its first word does not bring the head on its way")
    func cancelledBefore() async throws {
        let text = try await client { stream in
            let first = Task {
                while !Task.isCancelled { await Task.yield() }
                try await stream.write([0x61])
            }
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            #expect(!stream.hasBegun)
            try await stream.write([0x62])
        }.send(.get, "/stream").text
        #expect(text == "b")
    }

    @Test("A writer that is cancelled while the head is on its way leaves the stream to the next one")
    func cancelledMeanwhile() async throws {
        let isOver = OneShot<Void>()
        var router = Router()
        router.on(.get, "/stream") { _ in
            let response = try await Response.started { stream in
                let first = Task { try await stream.write([0x61]) }
                while !stream.hasBegun { await Task.yield() }
                first.cancel()
                await #expect(throws: CancellationError.self) { try await first.value }
                isOver.succeed()
                try await stream.write([0x62])
            }
            // Nobody takes the body before the first writer has given up.
            try await isOver.value()
            return response
        }
        #expect(try await InProcessClient(router).send(.get, "/stream").text == "b")
    }

    @Test("Whoever writes an answer that nobody takes is told so, even where the writer is not cancelled with the work")
    func dropped() async throws {
        let told = OneShot<Void>()
        let client = client { stream in
            let writer = Task { try await stream.write([0x61]) }
            do { try await writer.value } catch { told.fail(error) }
            told.succeed()
        }
        #expect(try await client.send(.head, "/stream").status == .ok)
        await #expect(throws: ClientLeft.self) { try await withDeadline(.after(.seconds(20))) { try await told.value() } }
    }
}
