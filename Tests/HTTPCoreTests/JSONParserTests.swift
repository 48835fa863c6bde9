import HTTPCore
import Testing

@Suite struct JSONParserTests {
    @Test func keepsOrderAndNumbers() throws {
        let value = try JSONValue(parsing: Array(#"{"b":1e3,"a":[18446744073709551616,true,null,"é"]}"#.utf8))
        #expect(value.encode() == Array(#"{"b":1e3,"a":[18446744073709551616,true,null,"é"]}"#.utf8))
    }
}
