import FoundationEssentials
import Observability
import Testing

@Suite struct UUIDTextTests {
    @Test func readsWhatFoundationReads() {
        for _ in 0..<100 {
            let id = UUID()
            #expect(UUID(text: id.uuidString) == id)
            #expect(UUID(text: id.uuidString.lowercased()) == id)
        }
    }

    @Test func writesInLowerCase() {
        for _ in 0..<100 {
            let id = UUID()
            #expect(id.text == id.uuidString.lowercased())
        }
    }

    @Test(arguments: [
        "", "00000000", "00000000-0000-0000-0000-00000000000", "00000000-0000-0000-0000-0000000000000",
        "00000000000000000000000000000000", "00000000-0000-0000-0000-00000000000g", "0000000-00000-0000-0000-000000000000",
        "{00000000-0000-0000-0000-000000000000}", "00000000-0000-0000-0000-00000000000０", " 0000000-0000-0000-0000-000000000000",
    ]) func refusesWhatIsNone(_ text: String) {
        #expect(UUID(text: text) == nil)
    }
}
