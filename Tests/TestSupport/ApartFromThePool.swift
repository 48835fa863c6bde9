// Products are built statically linked, together with this module, where there is no `Testing`.
#if canImport(Testing)
import Dispatch
public import Testing

/// Runs tests that compute for seconds on threads of their own.
///
/// Swift's cooperative pool has a thread per core and never takes one away from whom it was given to. A test that
/// computes there holds up every service that runs in the same process, until time limits ring that have nothing
/// to do with what is tested.
public struct ApartFromThePool: TestTrait, SuiteTrait, TestScoping {
    public let isRecursive = true

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(OwnThreads.shared) { try await function() }
    }

    /// Whether the caller runs on one of those threads.
    public static var isHere: Bool { DispatchQueue.getSpecific(key: OwnThreads.mark) == true }
}

extension Trait where Self == ApartFromThePool {
    /// See ``ApartFromThePool``; of a suite, each of its tests.
    public static var apartFromThePool: Self { Self() }
}

private final class OwnThreads: TaskExecutor {
    static let shared = OwnThreads()
    static let mark = DispatchSpecificKey<Bool>()

    private let queue = DispatchQueue(label: "tests that compute", attributes: .concurrent)

    private init() { queue.setSpecific(key: Self.mark, value: true) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
#endif
