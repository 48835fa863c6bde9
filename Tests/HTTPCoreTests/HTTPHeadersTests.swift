import HTTPCore
import Testing

@Suite struct HTTPHeadersTests {
    @Test func namesCompareWithoutCase() {
        var headers: HTTPHeaders = ["Content-Type": "text/plain", "x-request-id": "1"]
        #expect(headers["content-type"] == "text/plain" && headers["X-REQUEST-ID"] == "1")
        #expect(headers["Content-Typ"] == nil && headers["Content-Typf"] == nil)
        // Only letters have a case: `[` and `{` differ in the same bit.
        headers.add("x[", "a")
        #expect(headers["X["] == "a" && headers["x{"] == nil)
        headers.add("ÄÖ", "b")
        #expect(headers["ÄÖ"] == "b" && headers["äö"] == nil)
    }

    @Test func settingReplacesAllAndNilRemoves() {
        var headers: HTTPHeaders = ["A": "1", "B": "2", "a": "3"]
        headers["a"] = "4"
        #expect(headers == ["B": "2", "a": "4"])
        headers["C"] = "5"
        #expect(headers.values(of: "c") == ["5"] && headers.count == 3)
        headers["A"] = nil
        #expect(headers == ["B": "2", "C": "5"])
    }
}
