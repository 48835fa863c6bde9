import ConcurrencySupport
import DTO
import Foundation
import HTTPCore
import Observability
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import OrchestrationService

/// The flow with its runs and attempt rows in a real database; agent-center, content-center and the image service are doubles that keep
/// their promises.
@Suite(.timeLimit(.minutes(3))) struct ImageTextCreationTests {
    /// One process of the service.
    struct Process {
        let runs: Runs
        let work: JobRunWork
        let attempts: PictureAttemptsStore
        let principal = TestContext.principal()

        init(
            _ database: TestDatabase, images: ScriptedImages?, budget: RememberingBudget = RememberingBudget(),
            library: RememberingLibrary, writer: RememberingTextWriter = RememberingTextWriter(),
            fetchingFor fetchPatience: Duration = .seconds(600)
        ) {
            let attempts = PictureAttemptsStore(database: database.app)
            let pictures = images.map {
                PictureMaking(
                    images: $0, attempts: attempts, budget: budget, library: library, logger: .silent,
                    pauses: Array(repeating: .milliseconds(1), count: 9), longestPause: .milliseconds(2), patience: fetchPatience)
            }
            let flow = ImageTextCreation(
                words: FixedVocabularies(brandWords: ["喵喵家"], bannedWords: ["竞品"]), agentCenter: writer, contentCenter: library,
                pictures: pictures)
            self.attempts = attempts
            work = JobRunWork(
                flows: [flow, PictureCompletion(contentCenter: library, pictures: pictures)], database: database.app,
                system: database.system,
                patience: .init(delays: [.milliseconds(1), .milliseconds(1)], limit: .seconds(20)))
            runs = Runs(store: RunsStore(database: database.app) {}, work: work)
        }

        func start(_ brief: ImageTextBrief = .sample(), operation: UUID = UUID()) async throws -> StartedRun {
            try await CallContext.$current.withValue(CallContext(requestId: "request-1", operationId: operation)) {
                try await runs.start(ImageTextCreation.self, brief, as: principal)
            }
        }

        func answer(of run: StartedRun) async throws -> ImageTextGenerationAnswer {
            let end = try #require(try await runs.end(of: run, until: .after(.seconds(90))))
            guard case .succeeded(let output) = end else {
                Issue.record("the run ended as \(end)")
                throw CancellationError()
            }
            return try JSON.decode(ImageTextGenerationAnswer.self, from: output)
        }

        func answer(to brief: ImageTextBrief = .sample(), operation: UUID = UUID()) async throws -> ImageTextGenerationAnswer {
            try await answer(of: start(brief, operation: operation))
        }

        func steps(of run: UUID) async throws -> [String] {
            try await runs.run(run, of: TestContext.tenant).steps.map { "\($0.name) \($0.state.rawValue)" }
        }
    }

    private func withDatabase(_ body: @escaping @Sendable (TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template, body)
    }

    @Test func withAllPicturesTheContentIsFinished() async throws {
        try await withDatabase { database in
            let (images, budget) = (ScriptedImages(["prompt 2": [.address]]), RememberingBudget())
            let (library, writer) = (RememberingLibrary(), RememberingTextWriter())
            let process = Process(database, images: images, budget: budget, library: library, writer: writer)
            let answer = try await process.answer()

            #expect(answer.completeness == .finished)
            #expect(answer.version == 2)
            #expect(answer.body.slots.allSatisfy { $0.assetId != nil && $0.problem == nil })
            #expect(Set(answer.body.slots.compactMap(\.assetId)).count == 3)
            #expect(library.newest?.body == .imageText(answer.body))
            #expect(library.newest?.source == VersionSource(kind: .model, name: "gpt-image-1"))
            #expect(images.prompts.sorted() == ["prompt 1", "prompt 2", "prompt 3"])
            #expect(images.fetched == ["https://cdn.example.com/prompt 2"])
            #expect(budget.settled == ["image:1", "image:2", "image:3"])
            #expect(budget.open.isEmpty && budget.released.isEmpty)
            #expect(
                try await process.steps(of: answer.runId) == [
                    "image_text succeeded", "image:1 succeeded", "image:2 succeeded", "image:3 succeeded", "pictures succeeded",
                ])
            // Their bytes are content-center's by now.
            let spooled = try await database.superuser.query("SELECT 1 FROM picture_attempts WHERE picture IS NOT NULL")
            #expect(spooled.isEmpty)
            let request = try #require(writer.imageTexts.first)
            #expect(request.slots == 3 && request.brandWords == ["喵喵家"] && request.bannedWords.contains("竞品"))
        }
    }

    @Test func withoutAnImageServiceItStaysADraftWithPrompts() async throws {
        try await withDatabase { database in
            let process = Process(database, images: nil, library: RememberingLibrary())
            let answer = try await process.answer(to: .sample(hasPicturesMade: false))
            #expect(answer.completeness == .draft)
            #expect(answer.version == 1)
            #expect(answer.body.slots.map(\.prompt) == ["prompt 1", "prompt 2", "prompt 3"])
            #expect(answer.body.slots.allSatisfy { $0.assetId == nil && $0.problem == nil })
            #expect(try await process.steps(of: answer.runId) == ["image_text succeeded"])
        }
    }

    /// What a failed picture costs, what its slot says, and how often the service was asked for it.
    @Test(arguments: [
        (ImageFailure.Kind.policy, "画面提示词未通过图片服务的内容审核，请修改后再试", ["image:1", "image:3"], 1),
        (.rejected, "图片服务不接受该请求", ["image:1", "image:3"], 1),
        (.misconfigured, "图片服务的密钥、余额或模型设置有误，请联系管理员", ["image:1", "image:3"], 1),
        // Patience asks twice more, since nothing was made.
        (.busy, "图片服务繁忙，稍后可重试", ["image:1", "image:3"], 3),
        (.unavailable, "图片服务暂不可用，稍后可重试", ["image:1", "image:3"], 3),
        // May be on the bill, so it counts, and nobody asks again.
        (.unconfirmed, "图片服务没有给出完整答复，图片可能已生成并计费；确认后可再次配图", ["image:1", "image:2", "image:3"], 1),
        (.unusable, "图片服务返回的内容不是可用的图片", ["image:1", "image:2", "image:3"], 1),
    ]) func aPictureThatFailsLeavesItsPromptAndTheOthersGoOn(
        kind: ImageFailure.Kind, problem: String, paid: [String], calls: Int
    ) async throws {
        try await withDatabase { database in
            let (images, budget) = (ScriptedImages(["prompt 2": [.failure(kind)]]), RememberingBudget())
            let process = Process(database, images: images, budget: budget, library: RememberingLibrary())
            let operation = UUID()
            let answer = try await process.answer(operation: operation)
            #expect(answer.completeness == .draft)
            #expect(answer.body.slots.map { $0.assetId != nil } == [true, false, true])
            #expect(answer.body.slots.map(\.problem) == [nil, problem, nil])
            #expect(answer.body.slots[1].prompt == "prompt 2")
            #expect(budget.settled == paid)
            #expect(budget.open.isEmpty)
            #expect(images.prompts.filter { $0 == "prompt 2" }.count == calls)
            // The repeat of the request is the same answer, and asks nobody.
            #expect(try await process.answer(operation: operation) == answer)
            #expect(images.prompts.count == 2 + calls)
        }
    }

    @Test func whatPassesIsTriedAgain() async throws {
        try await withDatabase { database in
            let images = ScriptedImages(["prompt 1": [.failure(.busy), .picture]])
            let budget = RememberingBudget()
            let process = Process(database, images: images, budget: budget, library: RememberingLibrary(keepFailures: 1))
            let answer = try await process.answer(to: .sample(slots: 1))
            #expect(answer.completeness == .finished)
            // Once refused, once made; the asset that found nobody home did not make another.
            #expect(images.prompts.count == 2)
            #expect(budget.settled == ["image:1"])
            #expect(budget.released == ["image:1"])
        }
    }

    @Test func aPictureThatIsPaidForIsFetchedWhenItsAddressIsBack() async throws {
        try await withDatabase { database in
            // Longer away than a step's own patience, and not as long as the address says.
            let images = ScriptedImages(["prompt 1": [.address]], absences: 8, retryAfter: .seconds(3_600))
            let budget = RememberingBudget()
            let process = Process(database, images: images, budget: budget, library: RememberingLibrary())
            let answer = try await process.answer(to: .sample(slots: 1))
            #expect(answer.completeness == .finished)
            #expect(images.prompts == ["prompt 1"])
            #expect(images.fetched.count == 9)
            #expect(budget.settled == ["image:1"] && budget.released.isEmpty)
        }
    }

    @Test func aPictureWhoseAddressStaysAwayIsNotAskedForBeyondItsTime() async throws {
        try await withDatabase { database in
            let (images, budget) = (ScriptedImages(["prompt 1": [.address]], absences: 99), RememberingBudget())
            let process = Process(database, images: images, budget: budget, library: RememberingLibrary(), fetchingFor: .zero)
            let answer = try await process.answer(to: .sample(slots: 1))
            #expect(answer.body.slots.map(\.problem) == ["图片已生成，但暂时无法下载"])
            // Once for each attempt of the step.
            #expect(images.fetched.count == 3)
            #expect(budget.settled == ["image:1"])
        }
    }

    @Test func anExhaustedBudgetLeavesPromptsWithTheReason() async throws {
        try await withDatabase { database in
            let (images, budget) = (ScriptedImages(), RememberingBudget(pictures: 0))
            let process = Process(database, images: images, budget: budget, library: RememberingLibrary())
            let answer = try await process.answer()
            #expect(answer.completeness == .draft)
            #expect(answer.body.slots.map(\.problem) == ["预算已用完", "预算已用完", "预算已用完"])
            #expect(images.prompts.isEmpty && budget.settled.isEmpty)
        }
    }

    // MARK: What a dead process left

    @Test func aCallWhoseEndNobodyKnowsIsNotRepeated() async throws {
        try await withDatabase { database in
            let (images, budget) = (ScriptedImages(), RememberingBudget())
            let process = Process(database, images: images, budget: budget, library: RememberingLibrary())
            let operation = UUID()
            // It died after the attempt row, before the answer.
            _ = try await budget.hold(process.hold(1, of: operation), as: process.principal)
            #expect(try await process.attempts.begin(process.attempt(1, of: operation), as: process.reference(1, of: operation)))
            let answer = try await process.answer(to: .sample(slots: 2), operation: operation)
            #expect(images.prompts == ["prompt 2"])
            #expect(answer.body.slots.map { $0.assetId != nil } == [false, true])
            #expect(answer.body.slots[0].problem == "图片服务没有给出完整答复，图片可能已生成并计费；确认后可再次配图")
            #expect(budget.settled == ["image:1", "image:2"])
        }
    }

    @Test func aPictureThatCameIsKeptWithoutAnotherCall() async throws {
        try await withDatabase { database in
            let (images, budget, library) = (ScriptedImages(), RememberingBudget(), RememberingLibrary())
            let process = Process(database, images: images, budget: budget, library: library)
            let operation = UUID()
            // It died with the bytes, and with the address, of pictures in its hands.
            for (number, address) in [(1, nil), (2, "https://cdn.example.com/2")] as [(Int, String?)] {
                _ = try await budget.hold(process.hold(number, of: operation), as: process.principal)
                var attempt = process.attempt(number, of: operation)
                attempt.state = .answered(address: address)
                attempt.picture = address == nil ? Picture(ScriptedImages.png("spooled")) : nil
                try await process.attempts.save(attempt, as: process.reference(number, of: operation))
                #expect(try await process.attempts.find(process.reference(number, of: operation)) == attempt)
            }
            let answer = try await process.answer(to: .sample(slots: 2), operation: operation)
            #expect(answer.completeness == .finished)
            #expect(images.prompts.isEmpty)
            #expect(images.fetched == ["https://cdn.example.com/2"])
            #expect(budget.settled == ["image:1", "image:2"])
            #expect(library.assets == 2)
        }
    }

    @Test func aHoldWithoutAnAttemptBlocksNobody() async throws {
        try await withDatabase { database in
            let (images, budget) = (ScriptedImages(), RememberingBudget())
            let process = Process(database, images: images, budget: budget, library: RememberingLibrary())
            let operation = UUID()
            _ = try await budget.hold(process.hold(1, of: operation), as: process.principal)
            let answer = try await process.answer(to: .sample(slots: 1), operation: operation)
            #expect(answer.completeness == .finished)
            #expect(images.prompts == ["prompt 1"])
        }
    }

    // MARK: People in between

    @Test func cancellingTakesEffectBetweenPicturesAndLinksWhatThereIs() async throws {
        try await withDatabase { database in
            let gate = Gate()
            let images = ScriptedImages(beforeEach: { prompt in if prompt == "prompt 3" { try await gate.pass() } })
            let (budget, library) = (RememberingBudget(), RememberingLibrary())
            let process = Process(database, images: images, budget: budget, library: library)
            let run = try await process.start(.sample(slots: 9))
            // Two are done and three are asked for at a time: the third holds one place, the others go on.
            try await eventually("all others are made") { library.assets == 8 }
            _ = try await process.runs.cancel(run.id, of: TestContext.tenant)
            gate.open()
            #expect(try await process.runs.end(of: run, until: .after(.seconds(60))) == .canceled)
            try await eventually("the pictures that were made are linked") { library.modelVersions == 1 }
            guard case .imageText(let body)? = library.newest?.body else { return #expect(library.newest != nil) }
            #expect(body.slots.filter { $0.assetId != nil }.count >= 8)
            // The one under way was paid for, and is not lost: it was made to its end.
            try await eventually("the last one is settled") { budget.settled.count == 9 && budget.open.isEmpty }
        }
    }

    @Test func anEditorWhoWasFasterKeepsHisWords() async throws {
        try await withDatabase { database in
            let gate = Gate()
            let images = ScriptedImages(beforeEach: { prompt in if prompt == "prompt 1" { try await gate.pass() } })
            let library = RememberingLibrary()
            let process = Process(database, images: images, library: library)
            let run = try await process.start()
            try await eventually("the first picture is under way") { gate.arrived == 1 }
            let draft = try #require(library.newest)
            library.edit(draft.id) { body in
                body.text = "编辑改过的正文"
                body.slots.swapAt(0, 2)
                body.slots[1].prompt = "another picture"
            }
            gate.open()
            let answer = try await process.answer(of: run)
            #expect(answer.version == 3)
            #expect(answer.body.text == "编辑改过的正文")
            #expect(answer.body.slots.map(\.prompt) == ["prompt 3", "another picture", "prompt 1"])
            #expect(answer.body.slots.map { $0.assetId != nil } == [true, false, true])
            #expect(answer.completeness == .draft)
        }
    }

    // MARK: A person asks again

    @Test func aPersonHasMissingPicturesMade() async throws {
        try await withDatabase { database in
            let images = ScriptedImages(["prompt 2": [.failure(.unconfirmed), .picture]])
            let (budget, library) = (RememberingBudget(), RememberingLibrary())
            let process = Process(database, images: images, budget: budget, library: library)
            let draft = try await process.answer()
            #expect(draft.completeness == .draft && draft.body.slots[1].problem != nil)
            func complete(_ slots: [Int]) async throws -> RunEnd? {
                let order = PictureCompletionOrder(contentId: draft.contentId, slots: slots, imageShape: nil)
                let run = try await CallContext.$current.withValue(CallContext(requestId: "request-2", operationId: UUID())) {
                    try await process.runs.start(PictureCompletion.self, order, as: process.principal)
                }
                return try await process.runs.end(of: run, until: .after(.seconds(60)))
            }
            // A slot that has its picture, and one that is not there.
            guard case .failed(let problem)? = try await complete([1, 2, 9]) else { return #expect(Bool(false), "not refused") }
            #expect(problem.errors?.map(\.pointer) == ["/slots/0", "/slots/2"])
            #expect(images.prompts.count == 3)
            guard case .succeeded(let output)? = try await complete([2]) else { return #expect(Bool(false), "not made") }
            let answer = try JSON.decode(ImageTextPicturesAnswer.self, from: output)
            #expect(answer.completeness == .finished)
            #expect(answer.version == 3)
            #expect(answer.body.slots.allSatisfy { $0.assetId != nil && $0.problem == nil })
            #expect(images.prompts.filter { $0 == "prompt 2" }.count == 2)
        }
    }

    @Test func linkingIsByPlaceThenByPrompt() {
        let pictures = PictureMaking(
            images: ScriptedImages(), attempts: NoAttempts(), budget: RememberingBudget(), library: RememberingLibrary(),
            logger: .silent)
        let (a, b) = (UUID(), UUID())
        func slot(_ prompt: String, _ asset: UUID? = nil, _ problem: String? = nil) -> ImageSlot {
            ImageSlot(caption: "", alt: "", prompt: prompt, assetId: asset, problem: problem)
        }
        func linked(_ results: [Int: PictureSet.Result], _ slots: [ImageSlot]) -> [ImageSlot] {
            let body = ImageTextBody(topic: "t", platform: .douyin, title: "t", text: "t", hashtags: [], slots: slots)
            let set = PictureSet(
                contentId: UUID(), platform: .douyin, prompts: [0: "same", 1: "same"], shape: .square, pictures: pictures)
            return set.linked(results, into: body).slots
        }
        #expect(
            linked([0: .made(assetId: a), 1: .made(assetId: b)], [slot("same"), slot("same")]) == [
                slot("same", a), slot("same", b),
            ])
        #expect(linked([1: .made(assetId: b)], [slot("same"), slot("other")]) == [slot("same", b), slot("other")])
        // A picture that is there is not taken away, neither by another nor by a failure.
        let failed = PictureSet.Result.failed(FlowProblem(code: "c", title: "失败", status: 502, retryable: false))
        #expect(linked([0: .made(assetId: b), 1: failed], [slot("same", a)]) == [slot("same", a)])
        #expect(linked([0: failed], [slot("same")]) == [slot("same", nil, "失败")])
        #expect(linked([0: .made(assetId: a)], [slot("same", nil, "失败")]) == [slot("same", a)])
    }
}

extension ImageTextCreationTests.Process {
    func reference(_ number: Int, of operation: UUID) -> PictureReference {
        PictureReference(tenant: principal.tenantId, run: operation, number: number)
    }

    func attempt(_ number: Int, of operation: UUID) -> PictureAttempt {
        PictureAttempt(ticketId: reference(number, of: operation).ticketId)
    }

    func hold(_ number: Int, of operation: UUID) -> SpendingHoldRequest {
        SpendingHoldRequest(
            step: PictureMaking.step(number), scene: "douyin-image-text-zh", provider: "openai", model: "gpt-image-1", images: 1,
            ticketId: reference(number, of: operation).ticketId)
    }
}

extension ImageTextBrief {
    static func sample(slots: Int = 3, hasPicturesMade: Bool = true) -> ImageTextBrief {
        ImageTextBrief(
            text: TextBrief(
                topic: "猫砂盆", platform: .douyin, audience: nil, sellingPoints: [], tone: nil, keywords: [], bannedWords: [],
                callToAction: nil, model: "auto"), slots: slots, imageShape: .portrait, imageStyle: nil,
            hasPicturesMade: hasPicturesMade)
    }
}

/// Nothing is known of any picture.
private struct NoAttempts: PictureAttempts {
    func find(_ reference: PictureReference) async throws -> PictureAttempt? { nil }
    func begin(_ attempt: PictureAttempt, as reference: PictureReference) async throws -> Bool { true }
    func save(_ attempt: PictureAttempt, as reference: PictureReference) async throws {}
    func markSettled(_ reference: PictureReference) async throws {}
    func forget(_ reference: PictureReference) async throws {}
    func kept(in run: UUID, of tenant: UUID) async throws -> [(number: Int, assetId: UUID)] { [] }
}
