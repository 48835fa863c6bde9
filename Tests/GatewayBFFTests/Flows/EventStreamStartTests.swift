import Testing

@testable import GatewayBFF

@Suite("Where a stream begins")
struct EventStreamStartTests {
    @Test(
        "after what the client saw, or with a reset when something is missing",
        arguments: [
            (nil, 0, 0, EventStream.Start.after(0)),  // nothing ever happened
            (nil, 3, 9, .after(9)),  // a new client sees what comes
            (9, 3, 9, .after(9)),  // nothing missed
            (5, 3, 9, .after(5)),
            (2, 3, 9, .after(2)),  // 3 is still there: no gap
            (1, 3, 9, .resetThenAfter(9)),  // 2 is gone
            (9, 0, 9, .after(9)),  // all swept, nothing missed
            (8, 0, 9, .resetThenAfter(9)),  // all swept, 9 missed
            (10, 3, 9, .resetThenAfter(9)),  // a number that we never gave
            (-1, 3, 9, .resetThenAfter(9)),
            (0, 1, 9, .after(0)),
        ] as [(Int64?, Int64, Int64, EventStream.Start)])
    func start(lastEventId: Int64?, oldest: Int64, newest: Int64, expected: EventStream.Start) {
        #expect(EventStream.start(lastEventId: lastEventId, range: .init(oldest: oldest, newest: newest)) == expected)
    }
}
