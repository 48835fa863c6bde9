import ConcurrencySupport
import TestSupport
import Testing

@testable import PostgresStore

@Suite struct GroupCommitTests {
    @Test func whatComesMeanwhileGoesTogether() async throws {
        let desk = Desk()
        let first = desk.submit("a")
        try await desk.begun(1)
        let others = ["b", "c", "d"].map { desk.submit($0) }
        try await desk.waiting(3)
        desk.open()
        #expect(try await first.value == "wrote a")
        for (task, item) in zip(others, ["b", "c", "d"]) { #expect(try await task.value == "wrote \(item)") }
        #expect(desk.batches.map { $0.sorted() } == [["a"], ["b", "c", "d"]])
        // Nobody waits: the next one starts at once again.
        #expect(try await desk.submit("e").value == "wrote e")
    }

    @Test func aBatchHasABound() async throws {
        let desk = Desk(mostItems: 3, mostBytes: 6)
        let first = desk.submit("a")
        try await desk.begun(1)
        var others: [Task<String, any Error>] = []
        for (index, item) in ["b", "c", "d", "e", "1234567", "f2345"].enumerated() {
            others.append(desk.submit(item))
            try await desk.waiting(index + 1)
        }
        desk.open()
        _ = try await first.value
        for task in others { _ = try await task.value }
        #expect(desk.batches == [["a"], ["b", "c", "d"], ["e"], ["1234567"], ["f2345"]])
    }

    @Test func whoIsToBlameFailsAlone() async throws {
        let desk = Desk { if $0.contains("bad") { throw PostgresError(sqlState: "23514", message: "bad") } }
        let first = desk.submit("a")
        try await desk.begun(1)
        let (good, bad, other) = (desk.submit("b"), desk.submit("bad"), desk.submit("c"))
        try await desk.waiting(3)
        desk.open()
        _ = try await first.value
        #expect(try await good.value == "wrote b")
        #expect(try await other.value == "wrote c")
        let error = await #expect(throws: PostgresError.self) { try await bad.value }
        #expect(error?.isCheckViolation == true)
        #expect(desk.batches.count == 5 && desk.batches.last?.count == 1)
    }

    @Test(arguments: [
        PostgresError(sqlState: "08006", message: "gone", isOutcomeUnknown: true),
        PostgresError(sqlState: "57014", message: "too long"),
    ])
    func whatMayBeWrittenIsNotWrittenAgain(error: PostgresError) async throws {
        let desk = Desk { if $0.count > 1 { throw error } }
        let first = desk.submit("a")
        try await desk.begun(1)
        let others = [desk.submit("b"), desk.submit("c")]
        try await desk.waiting(2)
        desk.open()
        _ = try await first.value
        for task in others {
            let thrown = await #expect(throws: PostgresError.self) { try await task.value }
            #expect(thrown?.sqlState == error.sqlState)
        }
        #expect(desk.batches.count == 2)
    }

    @Test func anotherKeyHasALineOfItsOwn() async throws {
        let desk = Desk()
        let first = desk.submit("a")
        try await desk.begun(1)
        let other = desk.submit("b", of: 2)
        try await desk.begun(2)
        desk.open()
        #expect(try await [first.value, other.value] == ["wrote a", "wrote b"])
    }

    @Test func whoLeavesBeforeTheBatchIsLeftOut() async throws {
        let desk = Desk()
        let first = desk.submit("a")
        try await desk.begun(1)
        let (leaving, staying) = (desk.submit("b"), desk.submit("c"))
        try await desk.waiting(2)
        leaving.cancel()
        await #expect(throws: CancellationError.self) { try await leaving.value }
        desk.open()
        #expect(try await [first.value, staying.value] == ["wrote a", "wrote c"])
        #expect(desk.batches == [["a"], ["c"]])
    }

    @Test func whoLeavesABatchKeepsNobodyFromIt() async throws {
        let desk = Desk()
        let first = desk.submit("a")
        try await desk.begun(1)
        let (leaving, staying) = (desk.submit("b"), desk.submit("c"))
        try await desk.waiting(2)
        desk.pass()
        _ = try await first.value
        try await desk.begun(2)
        leaving.cancel()
        await #expect(throws: CancellationError.self) { try await leaving.value }
        desk.open()
        #expect(try await staying.value == "wrote c")
        #expect(desk.batches.map { $0.sorted() } == [["a"], ["b", "c"]])
    }

    @Test func aBatchThatAllHaveLeftEnds() async throws {
        let desk = Desk()
        let leaving = desk.submit("a")
        try await desk.begun(1)
        let next = desk.submit("b")
        try await desk.waiting(1)
        leaving.cancel()
        await #expect(throws: CancellationError.self) { try await leaving.value }
        // The gate never opened for the first: it was cancelled.
        try await desk.begun(2)
        desk.open()
        #expect(try await next.value == "wrote b")
    }
}

/// A group commit whose batches wait at a gate.
private final class Desk: Sendable {
    private struct State {
        var batches: [[String]] = []
        var isOpen = false
        var gates: [OneShot<Void>] = []
    }

    private let state: Locked<State>
    private let group: GroupCommit<Int, String, String>

    init(mostItems: Int = 10, mostBytes: Int = 1_000, failing: @escaping @Sendable ([String]) throws -> Void = { _ in }) {
        let state = Locked(State())
        self.state = state
        group = GroupCommit(mostItems: mostItems, mostBytes: mostBytes, size: { $0.utf8.count }) { _, items in
            let gate = OneShot<Void>()
            let isOpen = state.withLock { state in
                state.batches.append(items)
                state.gates.append(gate)
                return state.isOpen
            }
            if !isOpen { try await gate.value() }
            try failing(items)
            return items.map { "wrote \($0)" }
        }
    }

    var batches: [[String]] { state.withLock { $0.batches } }

    func submit(_ item: String, of key: Int = 1) -> Task<String, any Error> {
        Task { try await group.write(item, of: key) }
    }

    func begun(_ count: Int) async throws {
        try await eventually("\(count) batches", within: .seconds(120)) { batches.count >= count }
    }

    func waiting(_ count: Int) async throws {
        try await eventually("\(count) waiting", within: .seconds(120)) { group.waiting(of: 1) == count }
    }

    /// Lets those through that wait now.
    func pass() {
        for gate in state.withLock({ $0.gates }) { gate.succeed() }
    }

    func open() {
        state.withLock { $0.isOpen = true }
        pass()
    }
}
