import ConcurrencySupport
import DTO
import Foundation
import HTTPCore
import Jobs
import Observability
import PostgresStore
import ServiceDefaults
import TestSupport
import Testing

@testable import OrchestrationService

@Suite(.timeLimit(.minutes(3))) struct RunsTests {
    private static let busy = UpstreamUnavailable(callee: .agentCenter, reason: "down")

    @Test func takesEachStepOnceAndTellsEachMove() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            let content = UUID()
            let replica = Replica(database) { StepResult(value: "made \($0)", contentId: $0 == "b" ? content : nil) }
            let run = try await replica.start(["a", "b"])
            #expect(try await replica.end(of: run) == .succeeded(Array(#"["made a", "made b"]"#.utf8)))

            let moves = try await database.moves(of: run.id)
            #expect(moves.map(\.version) == [1, 2, 3, 4, 5, 6])
            #expect(moves.map(\.move.state) == [.queued, .running, .running, .running, .running, .succeeded])
            #expect(moves.map(\.move.progress) == [0, 0, 50, 50, 100, 100])
            #expect(
                moves.map(\.move.step) == [
                    nil, RunStep(name: "a", state: .running), RunStep(name: "a", state: .succeeded),
                    RunStep(name: "b", state: .running), RunStep(name: "b", state: .succeeded, contentId: content), nil,
                ])
            let shown = try await replica.runs.run(run.id, of: TestContext.tenant)
            #expect(shown.flow == "Probe" && shown.state == .succeeded && shown.progress == 100 && !shown.cancelRequested)
            #expect(shown.contentIds == [content] && shown.steps.map(\.state) == [.succeeded, .succeeded])
            #expect(shown.startedAt != nil && shown.finishedAt != nil && shown.problem == nil)
        }
    }

    @Test func theSameOperationTwiceAtOnceIsOneRunOnOneOfTwoReplicas() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            let notes = Notes()
            let replicas = (0..<2).map { _ in
                Replica(database) { step in
                    notes.add(step)
                    return StepResult(value: step)
                }
            }
            let operation = UUID()
            let ends = try await withThrowingTaskGroup(of: RunEnd.self) { group in
                for number in 0..<10 {
                    group.addTask {
                        let replica = replicas[number % 2]
                        return try await replica.end(of: try await replica.start(["a", "b"], operation: operation))
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(ends == Array(repeating: .succeeded(Array(#"["a", "b"]"#.utf8)), count: 10))
            #expect(notes.all == ["a", "b"])
        }
    }

    @Test func anotherProcessGoesOnWhereADeadOneStopped() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            let (notes, gate) = (Notes(), Gate())
            let dying = Replica(database) { step in
                if step == "b" { try await gate.pass() }
                notes.add("dying \(step)")
                return StepResult(value: "dying \(step)")
            }
            let heir = Replica(database) { step in
                notes.add("heir \(step)")
                return StepResult(value: "heir \(step)")
            }
            let run = try await dying.start(["a", "b"])
            try await eventually("the second step is under way") { gate.arrived == 1 }
            // Nobody renews the lease any more.
            try await database.superuser.query("UPDATE jobs SET lease_until = app_now() - interval '1 second'")
            let again = try await heir.start(["a", "b"], operation: run.id)
            #expect(try await heir.end(of: again) == .succeeded(Array(#"["dying a", "heir b"]"#.utf8)))
            // The first comes back to life: its write is refused.
            gate.open()
            await run.attempt?.task.value
            #expect(try await heir.runs.end(of: again, until: .after(.zero)) == .succeeded(Array(#"["dying a", "heir b"]"#.utf8)))
            #expect(try await database.superuser.query("SELECT 1 FROM job_steps").count == 2)
            #expect(notes.all.prefix(2) == ["dying a", "heir b"])
        }
    }

    @Test func anybodysWorkerTakesUpARunThatNobodyBegan() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            let replica = Replica(database) { StepResult(value: $0) }
            let order = try RunOrder(ProbeFlow.self, .init(steps: ["a"]), as: replica.principal)
            let (id, isOver) = try await replica.runs.store.start(nil, order)
            #expect(!isOver)
            let background = Task { try await replica.work.worker.run() }
            let end = try await replica.end(of: StartedRun(id: id, tenantId: TestContext.tenant, attempt: nil))
            background.cancel()
            _ = await background.result
            #expect(end == .succeeded(Array(#"["a"]"#.utf8)))
        }
    }

    @Test func theWorkIsDoneInTheNameOfWhoeverAsked() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            struct Namer: DurableFlow {
                static let name = "Namer"
                static let permissions: [String] = []
                static func steps(for input: String) -> [String] { [] }
                func run(_ input: String, in run: RunContext) -> [String?] {
                    let context = CallContext.current
                    #expect(context?.operationId == run.id && context?.deadline == nil && context?.tenantId == TestContext.tenant)
                    return [run.principal.subject, run.principal.scopes.first, context?.requestId, run.principal.actingJob]
                }
            }
            let work = JobRunWork(flows: [Namer()], database: database.app, system: database.system)
            let runs = Runs(store: RunsStore(database: database.app) {}, work: work)
            let context = CallContext(requestId: "request-7", operationId: TestContext.tenant, deadline: .now + .seconds(30))
            let run = try await CallContext.$current.withValue(context) {
                try await runs.start(Namer.self, "", as: TestContext.principal(subject: "user-9", scopes: ["copies:generate"]))
            }
            let end = try await runs.end(of: run, until: .after(.seconds(60)))
            let job = "run:11111111-1111-4111-8111-00000000000a"
            #expect(end == .succeeded(Array(#"["user-9", "copies:generate", "request-7", "\#(job)"]"#.utf8)))
        }
    }

    // MARK: Failures

    @Test func aStepWaitsForWhatIsAwayForAMoment() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            let notes = Notes()
            let replica = Replica(database) { step in
                notes.add(step)
                if notes.all.count < 3 { throw Self.busy }
                return StepResult(value: step)
            }
            let run = try await replica.start(["a"])
            #expect(try await replica.end(of: run) == .succeeded(Array(#"["a"]"#.utf8)))
            #expect(notes.all == ["a", "a", "a"])
        }
    }

    /// Whoever asks for longer than a step may wait is not asked again before that.
    @Test func aStepDoesNotAskAgainBeforeItMay() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            let notes = Notes()
            let replica = Replica(database) { step in
                notes.add(step)
                throw Unavailable(code: "image.busy", retryAfter: .seconds(30))
            }
            let run = try await replica.start(["a"])
            let problem = FlowProblem(
                code: "image.busy", title: "服务暂时不可用", status: 503, retryable: true, retryAfterSeconds: 30)
            #expect(try await replica.end(of: run) == .failed(problem))
            #expect(notes.all == ["a"])
        }
    }

    @Test func aPauseIsAsLongAsWasAskedFor() {
        func pause(_ seconds: Int?) -> Duration {
            FlowProblem(code: "a", title: "", status: 503, retryable: true, retryAfterSeconds: seconds).pause(after: .seconds(4))
        }
        #expect([pause(nil), pause(1), pause(3), pause(7)] == [.seconds(4), .seconds(4), .seconds(4), .seconds(7)])
    }

    @Test func runsGoLongAfterTheirEndAndNotBefore() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            let gate = Gate()
            let replica = Replica(database) { step in
                if step == "waits" { try await gate.pass() }
                return StepResult(value: step)
            }
            let old = try await replica.start(["a"])
            #expect(try await replica.end(of: old) == .succeeded(Array(#"["a"]"#.utf8)))
            let running = try await replica.start(["waits"])
            try await eventually("the step is under way") { gate.arrived == 1 }
            func attempt(of run: UUID) async throws {
                try await database.app.query(
                    """
                    INSERT INTO picture_attempts (tenant_id, run_id, number, state, ticket_id)
                    VALUES (\(TestContext.tenant), \(run), 1, 'unconfirmed', \(UUID()))
                    """, tenant: TestContext.tenant)
            }
            try await attempt(of: old.id)
            try await attempt(of: running.id)
            let sweeper = RunSweeper(system: database.system, days: 90, logger: .silent)
            #expect(try await sweeper.sweep() == 0)
            try await database.setClock(offset: .seconds(89 * 86_400))
            let young = try await replica.start(["b"])
            #expect(try await replica.end(of: young) == .succeeded(Array(#"["b"]"#.utf8)))
            try await attempt(of: young.id)
            #expect(try await sweeper.sweep() == 0)

            try await database.setClock(offset: .seconds(91 * 86_400))
            #expect(try await sweeper.sweep() == 1)
            for table in ["jobs", "runs", "run_steps"] {
                let left = try await database.superuser.query("SELECT count(*) AS n FROM \(identifier: table)")
                #expect(try left.only.decode("n", as: Int.self) == 2, "\(table)")
            }
            let left = try await database.superuser.query("SELECT run_id FROM picture_attempts")
            #expect(try Set(left.map { try $0.decode("run_id", as: UUID.self) }) == [running.id, young.id])
            await #expect(throws: RunError.notFound) { try await replica.runs.run(old.id, of: TestContext.tenant) }
            gate.open()
            #expect(try await replica.end(of: running) == .succeeded(Array(#"["waits"]"#.utf8)))
        }
    }

    @Test func aFailureThatPassesIsTakenUpByTheRepeatAndOnlyThat() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            let notes = Notes()
            let isDown = Lock(true)
            let replica = Replica(database) { step in
                notes.add(step)
                if step == "b", isDown.withLock({ $0 }) { throw Self.busy }
                return StepResult(value: step)
            }
            let run = try await replica.start(["a", "b", "c"])
            let problem = FlowProblem(
                code: "upstream.unavailable", title: "服务暂时不可用", status: 503, retryable: true, retryAfterSeconds: 1)
            #expect(try await replica.end(of: run) == .failed(problem))
            let failed = try await replica.runs.run(run.id, of: TestContext.tenant)
            #expect(failed.state == .failed && failed.problem == problem)
            #expect(failed.steps.map(\.state) == [.succeeded, .failed, .canceled] && failed.steps[1].problem == problem)
            #expect(notes.all == ["a", "b", "b", "b"])

            isDown.withLock { $0 = false }
            let again = try await replica.start(["a", "b", "c"], operation: run.id)
            #expect(try await replica.end(of: again) == .succeeded(Array(#"["a", "b", "c"]"#.utf8)))
            #expect(notes.all == ["a", "b", "b", "b", "b", "c"])
            #expect(try await replica.runs.run(run.id, of: TestContext.tenant).problem == nil)
        }
    }

    @Test func aFailureThatStaysIsFoundByTheRepeat() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            let notes = Notes()
            let replica = Replica(database) { step in
                notes.add(step)
                throw ValidationFailure(pointer: "/model", code: "unknown_value", zh: "没有这个模型", en: "no such model")
            }
            let problem = FlowProblem(
                code: "request.invalid", title: "请求内容不符合要求", status: 422, retryable: false,
                errors: [.init(pointer: "/model", code: "unknown_value", message: "没有这个模型")])
            let run = try await replica.start(["a"])
            #expect(try await replica.end(of: run) == .failed(problem))
            let again = try await replica.start(["a"], operation: run.id)
            #expect(try await replica.end(of: again) == .failed(problem))
            #expect(notes.all == ["a"])
        }
    }

    @Test func aRunThatFailedIsTakenUpAgainByWhoeverAsks() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            let notes = Notes()
            let isRefused = Lock(true)
            let replica = Replica(database) { step in
                notes.add(step)
                // A reason that does not pass by itself: the repeat of the request finds the failure.
                if step == "b", isRefused.withLock({ $0 }) {
                    throw ValidationFailure(pointer: "/model", code: "unknown_value", zh: "没有", en: "none")
                }
                return StepResult(value: step)
            }
            let run = try await replica.start(["a", "b", "c"])
            guard case .failed = try await replica.end(of: run) else { return #expect(Bool(false), "it has failed") }
            isRefused.withLock { $0 = false }
            let operation = UUID()
            func retry(_ id: UUID, by operation: UUID = operation, of tenant: UUID = TestContext.tenant) async throws -> Run {
                try await CallContext.$current.withValue(CallContext(requestId: "request-2", operationId: operation)) {
                    try await replica.runs.retry(id, as: TestContext.principal(tenant: tenant, scopes: ProbeFlow.permissions))
                }
            }
            await #expect(throws: RunError.notFound) { try await retry(run.id, of: TestContext.otherTenant) }
            await #expect(throws: RunError.notFound) { try await retry(UUID()) }
            _ = try await retry(run.id)
            try await eventually("the run's end", within: .seconds(60)) {
                try await replica.runs.run(run.id, of: TestContext.tenant).state == .succeeded
            }
            #expect(notes.all == ["a", "b", "b", "c"])
            let shown = try await replica.runs.run(run.id, of: TestContext.tenant)
            #expect(shown.problem == nil && shown.steps.allSatisfy { $0.state == .succeeded && $0.problem == nil })
            #expect(
                try await replica.runs.store.end(of: run.id, tenant: TestContext.tenant)
                    == .succeeded(Array(#"["a", "b", "c"]"#.utf8)))
            // The same operation finds what it did; another has nothing to do.
            #expect(try await retry(run.id).state == .succeeded)
            await #expect(throws: RunError.notRetryable(.succeeded)) { try await retry(run.id, by: UUID()) }
            #expect(notes.all.count == 4)
            let versions = try await database.moves(of: run.id).map(\.version)
            #expect(versions == Array(1...Int64(versions.count)))
        }
    }

    @Test func whatIsUnderWayOrCancelledIsNotTakenUpAgain() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            let gate = Gate()
            let replica = Replica(database) { step in
                try await gate.pass()
                return StepResult(value: step)
            }
            let run = try await replica.start(["a"])
            try await eventually("the step is under way", within: .seconds(60)) { gate.arrived == 1 }
            await #expect(throws: RunError.notRetryable(.running)) {
                try await replica.runs.retry(run.id, as: replica.principal)
            }
            _ = try await replica.runs.cancel(run.id, of: TestContext.tenant)
            #expect(try await replica.end(of: run) == .canceled)
            await #expect(throws: RunError.notRetryable(.canceled)) {
                try await replica.runs.retry(run.id, as: replica.principal)
            }
            gate.open()
        }
    }

    @Test func aCopySetOfWhichAPlatformFailedAsksForThatOneOnly() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            let isAway = Lock(true)
            let center = CopyWritingCenter { platform in
                if platform == .weibo, isAway.withLock({ $0 }) { throw Unavailable(code: "upstream.unavailable") }
            }
            let contents = RememberingContentCenter()
            let flow = CopyGeneration(words: FixedVocabularies(), agentCenter: center, contentCenter: contents)
            let work = JobRunWork(
                flows: [flow], database: database.app, system: database.system,
                patience: .init(delays: [.milliseconds(1)], limit: .seconds(20)))
            let runs = Runs(store: RunsStore(database: database.app) {}, work: work)
            let id = UUID()
            let started = try await CallContext.$current.withValue(CallContext(requestId: "request-1", operationId: id)) {
                try await runs.start(
                    CopyGeneration.self, .sample([.douyin, .weibo, .zhihu]), as: TestContext.principal())
            }
            func items() async throws -> [CopyGenerationItem] {
                let end = try #require(try await runs.end(of: started, until: .after(.seconds(60))))
                guard case .succeeded(let output) = end else { throw RunError.notFound }
                return try JSON.decode([CopyGenerationItem].self, from: output)
            }
            #expect(try await items().map(\.status) == [.succeeded, .failed, .succeeded])
            let drafts = contents.saved.count
            isAway.withLock { $0 = false }
            #expect(try await runs.retry(id, as: TestContext.principal(scopes: CopyGeneration.permissions)).id == id)
            try await eventually("all platforms have their copies", within: .seconds(60)) {
                try await items().allSatisfy { $0.status == .succeeded }
            }
            #expect(drafts == 2 && contents.saved.map(\.step).sorted() == ["copy.douyin", "copy.weibo", "copy.zhihu"])
            #expect(contents.saved.allSatisfy { $0.groupId == id })
            #expect(center.paid.sorted { $0.rawValue < $1.rawValue } == [.douyin, .weibo, .zhihu])
            // The failed platform was asked for twice and once more; the others once.
            #expect(center.requests.map(\.platform).filter { $0 != .weibo }.count == 2)
            #expect(try await runs.run(id, of: TestContext.tenant).contentIds.count == 3)
        }
    }

    @Test func anOperationIsNotTwoRuns() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            let replica = Replica(database) { StepResult(value: $0) }
            let run = try await replica.start(["a"])
            _ = try await replica.end(of: run)
            await #expect(throws: RunError.operationReused) { try await replica.start(["b"], operation: run.id) }
        }
    }

    // MARK: Cancelling

    @Test func cancellingStopsTheStepUnderWayAndKeepsWhatIsDone() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            let (gate, notes) = (Gate(), Notes())
            let content = UUID()
            let replica = Replica(database) { step in
                do {
                    if step == "b" { try await gate.pass() }
                } catch {
                    notes.add("stopped")
                    throw error
                }
                return StepResult(value: step, contentId: content)
            }
            let run = try await replica.start(["a", "b", "c"])
            try await eventually("the second step is under way") { gate.arrived == 1 }
            #expect(try await replica.runs.cancel(run.id, of: TestContext.tenant).cancelRequested)
            #expect(try await replica.end(of: run) == .canceled)
            #expect(notes.all == ["stopped"])
            let shown = try await replica.runs.run(run.id, of: TestContext.tenant)
            #expect(shown.state == .canceled && shown.contentIds == [content])
            #expect(shown.steps.map(\.state) == [.succeeded, .canceled, .canceled])
            #expect(try await database.moves(of: run.id).last?.move.state == .canceled)
            // Again is the same; and the repeat of the request does not begin it anew.
            #expect(try await replica.runs.cancel(run.id, of: TestContext.tenant).state == .canceled)
            #expect(try await replica.end(of: try await replica.start(["a", "b", "c"], operation: run.id)) == .canceled)
        }
    }

    @Test func whatIsWrittenIsKeptThoughTheRunIsCancelledMeanwhile() async throws {
        let (steps, writing, keeping) = (KeptSteps(), Gate(), Gate())
        let run = steps.context(UUID())
        let kept = Task {
            try await run.step("kept") {
                "written"
            } keep: { written in
                try await keeping.pass()
                return StepResult(value: written)
            }
        }
        try await eventually("it is being kept") { keeping.arrived == 1 }
        kept.cancel()
        keeping.open()
        #expect(try await kept.value == "written")
        // Writing itself is broken off, and nothing is kept of it.
        let broken = Task {
            try await run.step("broken") {
                try await writing.pass()
                return "written"
            } keep: {
                StepResult(value: $0)
            }
        }
        try await eventually("it is being written") { writing.arrived == 1 }
        broken.cancel()
        await #expect(throws: CancellationError.self) { try await broken.value }
        #expect(steps.notes.all == ["begin kept", "end kept", "begin broken"])
    }

    @Test func whatWaitsIsCancelledAtOnce() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            let replica = Replica(database) { StepResult(value: $0) }
            let order = try RunOrder(ProbeFlow.self, .init(steps: ["a"]), as: replica.principal)
            let (id, _) = try await replica.runs.store.start(nil, order)
            let shown = try await replica.runs.cancel(id, of: TestContext.tenant)
            #expect(shown.state == .canceled && shown.steps == [RunStep(name: "a", state: .canceled)])
            #expect(try await database.moves(of: id).map(\.move.state) == [.queued, .canceled])
        }
    }

    @Test func whatHasEndedIsNotCancelled() async throws {
        try await TestDatabase.withClone(of: OrchestrationHarness.template) { database in
            let replica = Replica(database) { StepResult(value: $0) }
            let run = try await replica.start(["a"])
            _ = try await replica.end(of: run)
            await #expect(throws: RunError.finished(.succeeded)) {
                try await replica.runs.cancel(run.id, of: TestContext.tenant)
            }
            await #expect(throws: RunError.notFound) { try await replica.runs.cancel(run.id, of: TestContext.otherTenant) }
            await #expect(throws: RunError.notFound) { try await replica.runs.run(run.id, of: TestContext.otherTenant) }
        }
    }
}
