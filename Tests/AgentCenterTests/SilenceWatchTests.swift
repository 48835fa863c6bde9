import Testing

@testable import AgentCenter

@Suite struct SilenceWatchTests {
    private let start = ContinuousClock.now

    @Test("Silence tells where the database has answered all the while")
    func quiet() {
        var watch = SilenceWatch()
        #expect(watch.isTelling(at: start))
        watch.note(.after(.milliseconds(3)), at: start)
        #expect(watch.isTelling(at: start))
    }

    @Test(
        "After an outage, also one that was only a long wait, the others have their time",
        arguments: [SilenceWatch.Answer.none, .after(.seconds(4))])
    func outage(answer: SilenceWatch.Answer) {
        var watch = SilenceWatch()
        watch.note(answer, at: start)
        watch.note(.after(.milliseconds(3)), at: start + .seconds(1))
        #expect(!watch.isTelling(at: start + PostgresUsageStore.timeOfSilence))
        #expect(watch.isTelling(at: start + PostgresUsageStore.timeOfSilence + .milliseconds(1)))
    }
}
