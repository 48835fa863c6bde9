import Foundation
import TestSupport
import Testing

@testable import AgentCenter

private func near(_ estimate: IntervalEstimate?, _ value: Double, _ low: Double, _ high: Double, within: Double = 5e-5) -> Bool {
    guard let estimate else { return false }
    return abs(estimate.value - value) < within && abs(estimate.low - low) < within && abs(estimate.high - high) < within
}

@Suite("Statistics of experiments")
struct StatisticsTests {
    @Test("Wilson's interval")
    func wilson() {
        // (0.8 + 3.84146/20 ± 1.95996·√(0.16/10 + 3.84146/400)) / (1 + 0.384146)
        #expect(near(Proportion(count: 8, total: 10).estimate, 0.8, 0.49016, 0.94332))
        #expect(near(Proportion(count: 0, total: 10).estimate, 0, 0, 0.27753))
        #expect(near(Proportion(count: 10, total: 10).estimate, 1, 0.72247, 1))
        // Newcombe, Stat. Med. 17 (1998), table I: 81 of 263, 15 of 148.
        #expect(near(Proportion(count: 81, total: 263).estimate, 0.30798, 0.2553, 0.3662))
        #expect(near(Proportion(count: 15, total: 148).estimate, 0.10135, 0.0624, 0.1605))
        #expect(Proportion(count: 0, total: 0).estimate == nil)
    }

    @Test("Newcombe's interval of a difference")
    func newcombe() {
        // Stat. Med. 17 (1998), table II, method 10: 56/70 − 48/80 and 9/10 − 3/10.
        let first = Proportion(count: 56, total: 70).difference(to: Proportion(count: 48, total: 80))
        #expect(near(first, 0.2, 0.0524, 0.3339))
        let second = Proportion(count: 9, total: 10).difference(to: Proportion(count: 3, total: 10))
        #expect(near(second, 0.6, 0.1705, 0.8090))
        #expect(Proportion(count: 1, total: 2).difference(to: Proportion(count: 0, total: 0)) == nil)
    }

    @Test("Student's interval of a mean, and Welch's of a difference")
    func means() {
        // 1…5: variance 2.5, t(4) = 2.776445.
        let small = Sample(count: 5, mean: 3, squares: 10)
        #expect(near(small.estimate, 3, 1.036757, 4.963243))
        // 2, 4, 6, 8, 10: variance 10; 0.5 + 2 over 5.88 degrees of freedom, t(5) = 2.570582.
        let wide = Sample(count: 5, mean: 6, squares: 40)
        #expect(near(small.difference(to: wide), -3, -7.064447, 1.064447))
        #expect(Sample(count: 1, mean: 3, squares: 0).estimate == nil)
        #expect(near(Sample(count: 3, mean: 2, squares: 0).difference(to: Sample(count: 4, mean: 1, squares: 0)), 1, 1, 1))
    }

    @Test(
        "Points of Student's distribution",
        arguments: [(1.0, 12.706205), (5.9, 2.570582), (30, 2.042272), (31, 2.039513), (100, 1.983972), (1_000, 1.962339)])
    func quantiles(freedom: Double, expected: Double) {
        #expect(abs(StudentT.quantile(freedom) - expected) < 2e-6)
    }

    @Test("A guard trips when even the low end is above the limit, and not before enough exposures")
    func guardRule() {
        let rule = GuardRule(kind: .rejected, above: 0.2, minimumExposures: 10)
        #expect(!rule.isBroken(by: Proportion(count: 9, total: 9)))
        // Low end 0.2366 of 5/10, 0.1678 of 4/10.
        #expect(rule.isBroken(by: Proportion(count: 5, total: 10)))
        #expect(!rule.isBroken(by: Proportion(count: 4, total: 10)))
        // More exposures than this cannot matter for five: the rate is not above the limit any more.
        #expect(rule.enough(for: 5) == 26)
        #expect(!rule.isBroken(by: Proportion(count: 5, total: 26)))
        #expect(rule.enough(for: 0) == 10)
    }

    @Test("States: every event from every state")
    func states() {
        let expected: [ExperimentState: [ExperimentState.Event: ExperimentState]] = [
            .draft: [.start: .running], .running: [.start: .running, .stop: .stopped, .finish: .finished],
            .stopped: [.start: .running, .stop: .stopped, .finish: .finished], .finished: [.finish: .finished],
        ]
        for state in ExperimentState.allCases {
            for event in ExperimentState.Event.allCases {
                #expect(state.next(event) == expected[state]?[event], "\(state) \(event)")
            }
        }
        #expect(ExperimentState.allCases.filter(\.takesOutcomes) == [.running, .stopped])
    }
}

@Suite("The split")
struct ExperimentPlanTests {
    private static let id = UUID(uuidString: "01970000-0000-7000-8000-000000000001") ?? UUID()

    private static func plan(_ weights: [Int], salt: String = "s", stopped: Int? = nil) -> ExperimentPlan {
        ExperimentPlan(
            id: id, salt: salt,
            arms: weights.enumerated().map { index, weight in
                .init(name: "arm\(index)", version: index, weight: weight, isControl: index == 0, isStopped: index == stopped)
            })
    }

    @Test("is by weight, and the same for the same subject")
    func weights() {
        let plan = Self.plan([3, 1])
        let arms = (0..<10_000).map { plan.arm(for: "user-\($0)", of: TestContext.tenant).name }
        let share = Double(arms.count { $0 == "arm1" }) / 10_000
        // Three standard deviations around a quarter.
        #expect(abs(share - 0.25) < 0.013)
        #expect(arms == (0..<10_000).map { plan.arm(for: "user-\($0)", of: TestContext.tenant).name })
    }

    @Test("goes by SHA-256 of tenant, salt and subject, so that every replica and every release splits alike")
    func known() {
        let plan = Self.plan([1, 1])
        let arms = ["user-1", "user-2", "user-3", "user-4", "user-5", "user-6"].map {
            plan.arm(for: $0, of: TestContext.tenant).version
        }
        #expect(arms == [1, 0, 1, 0, 0, 0])
        #expect(
            (0..<200).contains {
                plan.arm(for: "\($0)", of: TestContext.tenant) != plan.arm(for: "\($0)", of: TestContext.otherTenant)
            })
        let salted = Self.plan([1, 1], salt: "other")
        #expect(
            (0..<200).contains {
                plan.arm(for: "\($0)", of: TestContext.tenant) != salted.arm(for: "\($0)", of: TestContext.tenant)
            })
    }

    @Test("sends the subjects of a stopped arm to the control, and leaves the others where they were")
    func stopped() {
        let (plan, stopped) = (Self.plan([1, 1, 1]), Self.plan([1, 1, 1], stopped: 2))
        for index in 0..<300 {
            let before = plan.arm(for: "u\(index)", of: TestContext.tenant).name
            #expect(stopped.arm(for: "u\(index)", of: TestContext.tenant).name == (before == "arm2" ? "arm0" : before))
        }
    }
}
