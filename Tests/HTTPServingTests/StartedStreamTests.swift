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
}
