import Testing

@testable import ContentCenter

@Suite struct EntityTagTests {
    @Test(arguments: [
        (#""3""#, EntityTag.Condition.tags([EntityTag(version: 3)])),
        (#" "3" "#, .tags([EntityTag(version: 3)])),
        (#""1", "2","x""#, .tags([EntityTag(version: 1), EntityTag(version: 2)])),
        (#""03""#, .tags([])),
        (#""-3""#, .tags([EntityTag(version: -3)])),
        (#"W/"3""#, .tags([])),
        (#""3.5""#, .tags([EntityTag(version: 3, revision: 5)])),
        (#""3.""#, .tags([])), (#""3.05""#, .tags([])), (#""3.5.1""#, .tags([])), (#"".5""#, .tags([])),
        ("*", .any),
    ])
    func readsStrongly(header: String, expected: EntityTag.Condition) {
        #expect(EntityTag.condition(header, weakMatches: false) == expected)
    }

    @Test func readsWeakTagsWhereTheyMatch() {
        #expect(EntityTag.condition(#"W/"3", "4""#, weakMatches: true) == .tags([EntityTag(version: 3), EntityTag(version: 4)]))
    }

    @Test(arguments: ["", "3", #""3"#, #"3""#, #""3" "4""#, #""3","#, "W/3", "**"])
    func refusesWhatIsNoTag(header: String) {
        #expect(EntityTag.condition(header, weakMatches: false) == nil)
    }

    @Test func writesTheVersionInQuotes() {
        #expect(EntityTag(version: 12).description == #""12""#)
        #expect(EntityTag(version: 3, revision: 5).description == #""3.5""#)
    }
}
