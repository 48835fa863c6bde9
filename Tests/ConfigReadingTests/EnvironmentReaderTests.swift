import Foundation
import Testing

@testable import ConfigReading

@Suite struct EnvironmentReaderTests {
    @Test func readsEveryType() throws {
        var reader = EnvironmentReader([
            "NAME": "content", "PORT": "8083", "TLS": "Yes", "WAIT": "500ms", "LONG": "2m", "URL": "http://127.0.0.1:8083/",
            "LIST": "a, b,,c ", "PAIRS": "gateway-bff=YWI=,agent-center=Yw==", "KEY": "s3cret", "LEVEL": "low",
        ])
        #expect(reader.string("NAME") == "content")
        #expect(reader.int("PORT", default: 1, in: 0...65_535) == 8083)
        #expect(reader.bool("TLS", default: false) == true)
        #expect(reader.duration("WAIT", default: .zero) == .milliseconds(500))
        #expect(reader.duration("LONG") == .seconds(120))
        #expect(reader.url("URL") == "http://127.0.0.1:8083")
        #expect(reader.list("LIST") == ["a", "b", "c"])
        #expect(reader.pairs("PAIRS") == ["gateway-bff": "YWI=", "agent-center": "Yw=="])
        #expect(reader.secret("KEY").exposed == "s3cret")
        #expect(reader.choice("LEVEL", of: Level.self, default: .high) == .low)
        try reader.finish()
    }

    @Test func absentAndEmptyKeysTakeTheirDefault() throws {
        var reader = EnvironmentReader(["EMPTY": ""])
        #expect(reader.string("EMPTY", default: "x") == "x")
        #expect(reader.int("NONE", default: 7, in: 0...9) == 7)
        #expect(reader.optionalString("NONE") == nil)
        #expect(reader.optionalSecret("EMPTY") == nil)
        #expect(reader.optionalURL("NONE") == nil)
        #expect(reader.list("NONE", default: ["a"]) == ["a"])
        #expect(reader.duration("NONE", default: .seconds(5)) == .seconds(5))
        try reader.finish()
    }

    @Test func reportsAllProblemsAtOnce() throws {
        var reader = EnvironmentReader([
            "PORT": "99999", "COUNT": "many", "WAIT": "5 minutes", "FLAG": "maybe", "URL": "ftp://host", "LEVEL": "medium",
            "PAIRS": "a=1,a=2",
        ])
        _ = reader.string("MISSING")
        _ = reader.int("PORT", in: 0...65_535)
        _ = reader.int("COUNT", default: 1)
        _ = reader.duration("WAIT", default: .zero)
        _ = reader.bool("FLAG")
        _ = reader.url("URL")
        _ = reader.choice("LEVEL", of: Level.self, default: .low)
        _ = reader.pairs("PAIRS")
        _ = reader.secret("DATABASE_URL")
        let error = #expect(throws: ConfigurationError.self) { try reader.finish() }
        #expect(
            error?.problems.map(\.key) == ["MISSING", "PORT", "COUNT", "WAIT", "FLAG", "URL", "LEVEL", "PAIRS", "DATABASE_URL"])
        #expect(error?.description.contains("MISSING is not set (nor MISSING_FILE)") == true)
        #expect(error?.description.contains("99999 is not between 0 and 65535") == true)
    }

    @Test(arguments: ["9999999999h", "5", "ms", "-5s", "1.5s", "５s", "5S", "99999999999ms"])
    func refusesOddDurations(text: String) {
        var reader = EnvironmentReader(["WAIT": text])
        _ = reader.duration("WAIT")
        #expect(throws: ConfigurationError.self) { try reader.finish() }
    }

    @Test(arguments: ["http://", "http:///path", "http://:80", "postgres//host", "http://a b"])
    func refusesOddURLs(text: String) {
        var reader = EnvironmentReader(["URL": text])
        _ = reader.url("URL")
        #expect(throws: ConfigurationError.self) { try reader.finish() }
    }

    // MARK: - Files

    @Test func readsAnyKeyFromAFile() throws {
        let secret = try TemporaryFile("p4ss\n")
        let port = try TemporaryFile("8085")
        defer { secret.remove(); port.remove() }
        var reader = EnvironmentReader(["DATABASE_URL_FILE": secret.path, "PORT_FILE": port.path])
        #expect(reader.secret("DATABASE_URL").exposed == "p4ss")
        #expect(reader.int("PORT") == 8085)
        try reader.finish()
    }

    @Test func keepsInnerLineBreaksOfAFile() throws {
        let file = try TemporaryFile("line 1\nline 2\r\n")
        defer { file.remove() }
        var reader = EnvironmentReader(["PEM_FILE": file.path])
        #expect(reader.secret("PEM").exposed == "line 1\nline 2")
        try reader.finish()
    }

    @Test func refusesAKeyGivenTwiceAMissingFileAndAnEmptyOne() throws {
        let empty = try TemporaryFile("\n")
        defer { empty.remove() }
        var reader = EnvironmentReader([
            "A": "x", "A_FILE": empty.path, "B_FILE": "/nonexistent/secret", "C_FILE": empty.path,
        ])
        _ = reader.secret("A", default: Secret("fallback"))
        _ = reader.secret("B", default: Secret("fallback"))
        _ = reader.optionalSecret("C")
        let error = #expect(throws: ConfigurationError.self) { try reader.finish() }
        #expect(error?.problems.map(\.key) == ["A", "B", "C"])
    }

    @Test func refusesBinaryAndHugeFiles() throws {
        let binary = try TemporaryFile(bytes: [0xFF, 0xFE, 0x00])
        let huge = try TemporaryFile(bytes: [UInt8](repeating: 65, count: 70_000))
        defer { binary.remove(); huge.remove() }
        var reader = EnvironmentReader(["A_FILE": binary.path, "B_FILE": huge.path])
        _ = reader.string("A")
        _ = reader.string("B")
        let error = #expect(throws: ConfigurationError.self) { try reader.finish() }
        #expect(error?.problems.count == 2)
    }

    // MARK: - Secrets

    @Test func neverShowsASecret() {
        let secret = Secret("p4ssw0rd")
        var dumped = ""
        dump(["key": secret], to: &dumped)
        for text in ["\(secret)", String(describing: secret), String(reflecting: secret), dumped, "\([secret])"] {
            #expect(!text.contains("p4ssw0rd"))
        }
        #expect("\(secret)" == "•••")
    }

    @Test func problemsDoNotQuoteURLs() {
        var reader = EnvironmentReader(["URL": "amqp://user:p4ssw0rd@"])
        _ = reader.url("URL")
        let error = #expect(throws: ConfigurationError.self) { try reader.finish() }
        #expect(error?.description.contains("p4ssw0rd") == false)
    }

    private enum Level: String, CaseIterable { case low, high }
}

private struct TemporaryFile {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("config-\(UUID().uuidString)").path

    init(_ text: String) throws { try self.init(bytes: Array(text.utf8)) }

    init(bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
