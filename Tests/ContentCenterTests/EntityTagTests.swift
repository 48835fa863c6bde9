import Testing

@testable import ContentCenter

@Suite struct EntityTagTests {
    @Test(arguments: [
        (#""3""#, EntityTag.Condition.versions([3])),
        (#" "3" "#, .versions([3])),
        (#""1", "2","x""#, .versions([1, 2])),
        (#""03""#, .versions([])),
        (#""-3""#, .versions([-3])),
        (#"W/"3""#, .versions([])),
        ("*", .any),
    ])
    func readsStrongly(header: String, expected: EntityTag.Condition) {
        #expect(EntityTag.condition(header, weakMatches: false) == expected)
    }

    @Test func readsWeakTagsWhereTheyMatch() {
        #expect(EntityTag.condition(#"W/"3", "4""#, weakMatches: true) == .versions([3, 4]))
    }

    @Test(arguments: ["", "3", #""3"#, #"3""#, #""3" "4""#, #""3","#, "W/3", "**"])
    func refusesWhatIsNoTag(header: String) {
        #expect(EntityTag.condition(header, weakMatches: false) == nil)
    }

    @Test func writesTheVersionInQuotes() {
        #expect(EntityTag(version: 12).description == #""12""#)
    }
}
